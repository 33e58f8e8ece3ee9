/** Symbols as people read them. Pure. */

const QUOTES = ["FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USD", "EUR", "BTC", "ETH", "BNB"];

/** A symbol that was given to another coin ends in the month it did: LUNAUSDT.202205. */
const REUSED = /\.\d{6}$/;

/** BTCUSDT → BTC, USDT. What ends in no known quote stays whole. */
export function splitSymbol(symbol: string): [base: string, quote: string] {
  const since = REUSED.exec(symbol)?.[0] ?? "";
  const pair = symbol.slice(0, symbol.length - since.length);
  const quote = QUOTES.find((one) => pair.endsWith(one) && pair.length > one.length);
  if (!quote) return [symbol, ""];
  return [pair.slice(0, -quote.length).replace(/[-/_]$/, "") + since, quote];
}

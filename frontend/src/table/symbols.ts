/** Symbols as people read them. Pure. */

const QUOTES = ["FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USD", "EUR", "BTC", "ETH", "BNB"];

/** The quote that goes without saying where there is little room. */
export const USUAL_QUOTE = "USDT";

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

/** BTC for BTCUSDT. Any other pair stays whole: BTCUSD beside it must not look the same. */
export function shortName(symbol: string): string {
  const [base, quote] = splitSymbol(symbol);
  return quote === USUAL_QUOTE ? base : symbol;
}

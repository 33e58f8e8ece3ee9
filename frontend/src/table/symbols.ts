/** Symbols as people read them. Pure. */

const QUOTES = ["FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USD", "EUR", "BTC", "ETH", "BNB"];

/** BTCUSDT → BTC, USDT. What ends in no known quote stays whole. */
export function splitSymbol(symbol: string): [base: string, quote: string] {
  const quote = QUOTES.find((one) => symbol.endsWith(one) && symbol.length > one.length);
  if (!quote) return [symbol, ""];
  return [symbol.slice(0, -quote.length).replace(/[-/_]$/, ""), quote];
}

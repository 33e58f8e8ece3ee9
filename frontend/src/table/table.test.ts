import { expect, test } from "vitest";

import type { Row } from "../run/state";
import { sorted } from "./columns";
import { filterOf, unknownColumn } from "./filter";
import { toCsv } from "./export";
import { shortName, splitSymbol } from "./symbols";

const row = (symbol: string, total_return: number | null, sharpe: number | null = 1, trade_count = 10): Row => ({
  symbol, metrics: { total_return, sharpe, trade_count }, warnings: [], sparkline: [], generated: false, cached: false,
  elapsedMs: 1, hit: symbol === "SOLUSDT", isNew: false,
});
const rows = [row("SOLUSDT", 2.3, 1.5), row("BTCUSDT", 0.19, 1.1, 40), row("ADAUSDT", null, null, 0), row("XRPUSDT", -0.34, -0.2)];
const symbols = (some: Row[]) => some.map(({ symbol }) => symbol.slice(0, 3));
const filtered = (text: string) => symbols(rows.filter(filterOf(text)));

test("undefined values stand last in both directions", () => {
  expect(symbols(sorted(rows, { by: "total_return", descending: true }))).toEqual(["SOL", "BTC", "XRP", "ADA"]);
  expect(symbols(sorted(rows, { by: "total_return", descending: false }))).toEqual(["XRP", "BTC", "SOL", "ADA"]);
  expect(symbols(sorted(rows, { by: "symbol", descending: false }))).toEqual(["ADA", "BTC", "SOL", "XRP"]);
});

test("a filter takes words and conditions in the units of the header", () => {
  expect(filtered("")).toHaveLength(4);
  expect(filtered("btc")).toEqual(["BTC"]);
  expect(filtered("return>10")).toEqual(["SOL", "BTC"]);
  expect(filtered("return < −20 %")).toEqual(["XRP"]);
  expect(filtered("sharpe>=1.1 trades>20")).toEqual(["BTC"]);
  expect(filtered("count>20")).toEqual(["BTC"]);
  expect(filtered("nonsense>3")).toEqual([]);
  expect(filtered("is:hit")).toEqual(["SOL"]);
  expect(filtered("is:warned")).toEqual([]);
});

test("a filter knows what is compared in it but is no column", () => {
  expect(unknownColumn("sol sharpe>1 bogus > 2")).toBe("bogus");
  expect(unknownColumn("sol sharpe>1 dd<20")).toBeNull();
});

test("an export quotes what a spreadsheet would misread", () => {
  const csv = toCsv([row('A,"B', 0.5), row("=SUM(A1)", null)]);
  const lines = csv.trimEnd().split("\r\n");
  expect(lines[0]).toContain("symbol,total_return,");
  expect(lines[1]).toMatch(/^"A,""B",0\.5,/);
  expect(lines[2]).toMatch(/^'=SUM\(A1\),,/);
});

test.each([["BTCUSDT", ["BTC", "USDT"]], ["ETHBTC", ["ETH", "BTC"]], ["USDT", ["USDT", ""]], ["LUNA-2", ["LUNA-2", ""]], ["LUNAUSDT.202205", ["LUNA.202205", "USDT"]]])(
  "%s is shown as base and quote",
  (symbol, parts) => {
    expect(splitSymbol(symbol)).toEqual(parts);
  },
);

test("a short name leaves out only the usual quote, so that two pairs never look the same", () => {
  expect(["BTCUSDT", "BTCUSD", "BTCBUSD", "LUNAUSDT.202205", "USDT"].map(shortName)).toEqual(["BTC", "BTCUSD", "BTCBUSD", "LUNA.202205", "USDT"]);
});

import { expect, test } from "vitest";

import type { BacktestSpec, Cryptocurrency, Strategy } from "../api/types";
import { EMPTY_DRAFT, draftOf, fitted, fromQuery, specOf, toQuery } from "./draft";
import { fieldsOf } from "./fields";
import { candlesInRange, marketsOf, quickRanges, withCoarser } from "./market";

const rsi: Strategy = {
  name: "rsi", title: "RSI", description: "", acts_on: "level",
  parameters: { properties: { period: { type: "integer", default: 14, minimum: 2, maximum: 200 } } },
};
const series = (source: string, first: string, last: string, count: number) => ({
  id: 1, source, interval: "1h", first_open: first, last_open: last, candle_count: count,
  gap_count: 0, missing_count: 0, generated: false, warnings: [],
});
const cryptocurrencies: Cryptocurrency[] = ["BTCUSDT", "ETHUSDT"].map((symbol) => ({
  symbol, base: symbol.slice(0, 3), quote: "USDT", name: symbol,
  series: [series("binance", "2021-04-05T00:00:00Z", "2023-12-28T23:00:00Z", 24_000)],
}));
const markets = marketsOf(cryptocurrencies);
const market = markets[0]!;
const draft = fitted(EMPTY_DRAFT, [rsi], markets);

test("an empty draft becomes the first strategy over all data of the largest market", () => {
  const { spec, errors } = specOf(draft, fieldsOf(rsi.parameters), market);
  expect(errors).toEqual({});
  expect(spec).toEqual({
    strategy: "rsi", parameters: { period: 14 }, symbols: "all", source: "binance", interval: "1h",
    start: "2021-04-05T00:00:00Z", end: "2023-12-29T00:00:00Z",
    initial_cash: 10000, fee_rate: 0.001, fixed_fee: 0, slippage_rate: 0.0005, fill: "next_open", direction: "long", order: "volume",
  });
});

test("a request made from a draft makes the same draft again", () => {
  const { spec } = specOf(draft, fieldsOf(rsi.parameters), market);
  expect(draftOf({ ...spec, max_parallel: null } as BacktestSpec)).toEqual(draft);
});

test("what ends a run early is asked for only where it was filled in", () => {
  const ending = { ...draft, hit: "sharpe >= 1", maxHits: "3", timeoutSeconds: "2.5", prioritySymbols: "eth usdt, BTCUSDT" };
  const { spec, errors } = specOf(ending, fieldsOf(rsi.parameters), market);
  expect(errors).toEqual({});
  expect(spec).toMatchObject({ hit: "sharpe >= 1", max_hits: 3, timeout_seconds: 2.5, priority_symbols: ["ETH", "USDT", "BTCUSDT"] });
  expect(spec).not.toHaveProperty("max_failures");
  expect(Object.keys(specOf({ ...draft, maxHits: "0", timeoutSeconds: "0" }, fieldsOf(rsi.parameters), market).errors)).toEqual(["max_hits", "timeout_seconds"]);
});

const traded = {
  ...draft, direction: "long_short", order: "promise", sizing: "cash", fixedCash: "250", fixedFee: "1.5", stopLossPercent: "2.5", takeProfitPercent: "150",
  trailingStopPercent: "7", maxHoldingBars: "48", cooldownBars: "3", webhook: "https://example.org/hook", email: "true",
};

test("sizes, stops and whom to tell are sent as the API names them, percents as fractions", () => {
  const { spec, errors } = specOf(traded, fieldsOf(rsi.parameters), market);
  expect(errors).toEqual({});
  expect(spec).toMatchObject({
    direction: "long_short", fixed_cash: 250, fixed_fee: 1.5, stop_loss: 0.025, take_profit: 1.5, trailing_stop: 0.07,
    max_holding_bars: 48, cooldown_bars: 3, notify: { webhook: "https://example.org/hook", email: true },
  });
  expect(spec).not.toHaveProperty("equity_fraction");
  expect(specOf({ ...traded, sizing: "equity", equityPercent: "25" }, fieldsOf(rsi.parameters), market).spec).toMatchObject({ equity_fraction: 0.25 });
});

test("sizes and stops come back from the run that they made, and from an address", () => {
  const { spec } = specOf(traded, fieldsOf(rsi.parameters), market);
  expect(draftOf({ ...spec, equity_fraction: null, max_parallel: null } as unknown as BacktestSpec, spec.notify)).toEqual(traded);
  expect(fromQuery(new URLSearchParams(toQuery({ ...traded, initialCash: "" }).toString()))).toEqual({ ...traded, initialCash: "" });
});

test("only the chosen size is checked", () => {
  const odd = { ...draft, fixedCash: "none", equityPercent: "101" };
  expect(specOf(odd, fieldsOf(rsi.parameters), market).errors).toEqual({ equity_fraction: "More than 0, at most 100." });
  expect(specOf({ ...odd, sizing: "cash" }, fieldsOf(rsi.parameters), market).errors).toEqual({ fixed_cash: "This is not a number." });
});

test("a draft survives the way through an address", () => {
  const typed = { ...draft, symbols: ["BTCUSDT", "ETHUSDT"], parameters: { period: "not & a number" } };
  expect(fromQuery(new URLSearchParams(toQuery(typed).toString()))).toEqual(typed);
});

test("every wrong field is named as the API names it", () => {
  const wrong = { ...draft, parameters: { period: "1" }, symbols: [], start: "2024-01-01", end: "2023-01-01", initialCash: "0", feePercent: "-1" };
  expect(Object.keys(specOf(wrong, fieldsOf(rsi.parameters), market).errors).sort()).toEqual(
    ["end", "fee_rate", "initial_cash", "parameters.period", "symbols"],
  );
});

test("symbols and strategies that do not exist here are replaced", () => {
  const strange = fitted({ ...draft, strategy: "gone", symbols: ["BTCUSDT", "GONE"], market: "nowhere 1h" }, [rsi], markets);
  expect([strange.strategy, strange.symbols, strange.market]).toEqual(["rsi", ["BTCUSDT"], "binance 1h"]);
});

test("the work of a range is estimated from what each series covers", () => {
  expect(candlesInRange(market.listings, "", "")).toBe(48_000);
  expect(candlesInRange(market.listings, "2030-01-01", "2031-01-01")).toBe(0);
  expect(candlesInRange(market.listings, "2022-01-01", "2023-01-01") / 48_000).toBeCloseTo(365 / 998, 2);
});

test("of markets with as many series the one with most candles comes first, generated ones last", () => {
  const also = (source: string, count: number, generated = false) => ({ ...series(source, "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", count), generated });
  const many = cryptocurrencies.map((one) => ({ ...one, series: [also("sample", 90_000, true), also("replay", 2), ...one.series] }));
  expect(marketsOf(many).map(({ source }) => source)).toEqual(["binance", "replay", "sample"]);
});

test("quick ranges stay inside the data", () => {
  const ranges = quickRanges(market);
  expect(ranges.map(({ title }) => title)).toEqual(["All", "Last 2 years", "Last year", "2021", "2022", "2023"]);
  expect(ranges.find(({ title }) => title === "2021")).toMatchObject({ start: "2021-04-05", end: "2022-01-01" });
});

test("coarser intervals come after the stored ones, each with its share of the candles", () => {
  const all = withCoarser(markets);
  expect(all[0]).toBe(market);
  expect(all.map(({ interval }) => interval)).toEqual(["1h", "2h", "4h", "6h", "8h", "12h", "1d", "1w"]);
  expect(all[2]).toMatchObject({ madeOf: "1h", candleCount: 12_000 });
});

import { expect, test } from "vitest";

import type { Alert, AlertRequest } from "./types";
import { activityText, age, conditionText, firedText, sourceName, toneOf, wayOf } from "./words";

test("a change has an arrow and a colour, no change has none", () => {
  expect([0.1, -0.1, 0, null].map((change) => [wayOf(change), toneOf(change)])).toEqual([["up", "gain"], ["down", "loss"], ["flat", ""], ["flat", ""]]);
});

test("ages are short", () => {
  expect([0, 1999, 2000, 99_999, 100_000, 7_200_000].map(age)).toEqual(["now", "now", "2\u2009s", "99\u2009s", "1\u2009min", "2\u2009h"]);
});

test("sources have names", () => {
  expect([sourceName("ccxt:kraken"), sourceName("coingecko"), sourceName("binance"), sourceName(null)]).toEqual(["Kraken", "CoinGecko", "Binance", "no source"]);
});

test("activity is told in words, and an unknown kind by its name", () => {
  const tell = (kind: string, more: object) => Object.values(activityText({ id: 1, at_ms: 0, kind, ...more })).join("|");
  expect(tell("large_move", { symbol: "BTCUSDT", change: -0.031, seconds: 120 })).toBe("BTC|\u22123.1\u2009% in 2\u2009min|loss");
  expect(tell("high_24h", { symbol: "ETHUSDT", price: 2000 })).toBe("ETH|new 24 h high, 2,000.00|gain");
  expect(tell("source_change", { source: "ccxt:kraken", before: "binance", reason: "no word for 3 s" })).toBe("Feed|Binance → Kraken: no word for 3 s|");
  expect(tell("source_change", { source: "binance", before: null, reason: "the feed began" })).toBe("Feed|prices from Binance|");
  expect(tell("outage", { reason: "cut off" })).toBe("Feed|no source works: cut off|loss");
  expect(tell("something_new", {})).toBe("Feed|Something new|");
});

test("a condition and its firing read as a sentence", () => {
  const crosses: AlertRequest = { symbol: "BTCUSDT", kind: "crosses", direction: "up", price: 44_000, percent: null, minutes: null, webhook: "" };
  const moves: AlertRequest = { ...crosses, kind: "moves", direction: "either", price: null, percent: 2.5, minutes: 10 };
  expect(conditionText(crosses)).toBe("rises above 44,000.00");
  expect(conditionText(moves)).toBe("moves 2.5\u2009% within 10\u2009min");
  const fired = { ...crosses, fired_price: 44_012.5, fired_source: "ccxt:kraken", fired_is_replay: true } as Alert;
  expect(firedText(fired)).toBe("BTC rises above 44,000.00: 44,012.50 from Kraken, replayed");
});

import { expect, test } from "vitest";

import { ACTIVITY_KEPT, EMPTY, POINTS_KEPT, type PricesState, ageOf, apply, isStale, listed, troubleOf, withAlert, withHistory } from "./state";
import type { Activity, Alert, FeedStatus, LivePrice, PricesMessage } from "./types";

const LIVE: FeedStatus = {
  state: "live", source: "binance", role: "primary", since_ms: 0, is_replay: false,
  sources: [
    { name: "binance", role: "primary", state: "live", since_ms: 0, reason: null },
    { name: "ccxt:kraken", role: "secondary", state: "idle", since_ms: 0, reason: null },
  ],
};

const price = (symbol: string, value: number, receivedMs: number, more: Partial<LivePrice> = {}): LivePrice => ({
  symbol, price: value, source: "binance", role: "primary", exchange_time_ms: receivedMs, received_time_ms: receivedMs, change_24h: 0.01,
  high_24h: null, low_24h: null, volume_24h_quote: 1000, is_replay: false, age_ms: 0, stale: false, ...more,
});

const update = (atMs: number, prices: LivePrice[], more: Partial<PricesMessage> = {}): PricesMessage => ({
  type: "update", at_ms: atMs, prices, activity: [], status: null, alerts: [], ...more,
});

const snapshot = (atMs: number, prices: LivePrice[]): PricesMessage => update(atMs, prices, { type: "snapshot", status: LIVE });

const happened = (id: number): Activity => ({ id, at_ms: id, kind: "large_move" });

function after(...messages: PricesMessage[]): PricesState {
  return messages.reduce((state, message) => apply(state, message, message.at_ms), EMPTY);
}

test("the newest price of each symbol stands, and the one before tells the change", () => {
  const state = after(snapshot(1000, [price("BTCUSDT", 100, 1000), price("ETHUSDT", 10, 1000)]), update(2000, [price("BTCUSDT", 101, 2000)]));
  expect([...state.tickers.values()].map(({ price: { price: value }, before }) => [value, before])).toEqual([[101, 100], [10, null]]);
  expect(state.tickers.get("BTCUSDT")!.points).toEqual([[1000, 100], [2000, 101]]);
});

test("a doubled or late price changes nothing, and an unchanged one keeps the direction", () => {
  const state = after(
    snapshot(1000, [price("BTCUSDT", 100, 1000)]),
    update(2000, [price("BTCUSDT", 101, 2000)]), update(2100, [price("BTCUSDT", 101, 2000)]), update(2200, [price("BTCUSDT", 99, 1500)]),
    update(3000, [price("BTCUSDT", 101, 3000)]),
  );
  const { before, points, price: newest } = state.tickers.get("BTCUSDT")!;
  expect([newest.price, newest.received_time_ms, before, points.length]).toEqual([101, 3000, 100, 3]);
});

test("a price that is sent again because it went stale stays the same point", () => {
  const state = after(snapshot(1000, [price("BTCUSDT", 100, 1000)]), update(12_000, [price("BTCUSDT", 100, 1000, { stale: true, age_ms: 11_000 })]));
  const { price: newest, points } = state.tickers.get("BTCUSDT")!;
  expect([newest.stale, points.length]).toEqual([true, 1]);
});

test("a snapshot forgets what is no longer there, and keeps the points of what is", () => {
  const state = after(snapshot(1000, [price("A", 1, 1000), price("B", 1, 1000)]), snapshot(2000, [price("B", 2, 2000)]));
  expect([...state.tickers.keys()]).toEqual(["B"]);
  expect(state.tickers.get("B")!.points).toHaveLength(2);
});

test("age runs by the server's clock, and rises without a message", () => {
  const state = apply(EMPTY, snapshot(1_000_000, [price("A", 1, 999_000)]), 500_000);
  const { price: newest } = state.tickers.get("A")!;
  expect(ageOf(state, newest, 500_000)).toBe(1000);
  expect(ageOf(state, newest, 507_000)).toBe(8000);
});

test("a message that was long on its way does not make prices look younger", () => {
  let state = apply(EMPTY, snapshot(1000, [price("A", 1, 1000)]), 1000);
  state = apply(state, update(2000, []), 6000);
  expect(ageOf(state, state.tickers.get("A")!.price, 6000)).toBe(5000);
});

test("between messages of a long interval nothing is stale, after it everything is", () => {
  const state = after(snapshot(0, [price("A", 1, 0)]));
  const { price: newest } = state.tickers.get("A")!;
  expect([isStale(state, newest, 11_001, 1), isStale(state, newest, 11_001, 30), isStale(state, newest, 40_001, 30)]).toEqual([true, false, true]);
  expect(isStale(state, { ...newest, stale: true }, 0, 30)).toBe(true);
});

test("stored points stand before live ones, none twice, and say from where the price came", () => {
  const state = after(snapshot(3000, [price("A", 3, 3000)]));
  const ticker = withHistory(state, new Map([["A", [[1000, 1], [2000, 2], [3000, 3]]], ["B", [[1, 1]]]])).tickers.get("A")!;
  expect(ticker.points).toEqual([[1000, 1], [2000, 2], [3000, 3]]);
  expect(ticker.before).toBe(2);
});

test("points and activity are bounded", () => {
  let state = after(snapshot(0, [price("A", 1, 0)]));
  for (let ms = 1; ms < POINTS_KEPT + 50; ms += 1) state = apply(state, update(ms, [price("A", ms, ms)], { activity: [happened(ms)] }), ms);
  expect(state.tickers.get("A")!.points).toHaveLength(POINTS_KEPT);
  expect(state.activity).toHaveLength(ACTIVITY_KEPT);
});

test("activity is newest first and never doubled", () => {
  const state = after(update(0, [], { activity: [happened(1), happened(3)] }), update(0, [], { activity: [happened(3), happened(2), happened(4)] }));
  expect(state.activity.map(({ id }) => id)).toEqual([4, 3, 2, 1]);
});

test("tickers are searched and sorted, unknown figures last", () => {
  const state = after(snapshot(0, [
    price("AUSDT", 1, 0, { change_24h: null, volume_24h_quote: 5 }), price("BUSDT", 1, 0, { change_24h: -0.1, volume_24h_quote: 50 }),
    price("CUSDT", 1, 0, { change_24h: 0.2, volume_24h_quote: null }),
  ]));
  const symbols = (search: string, ordering: "traded" | "change" | "symbol") => listed(state, search, ordering).map(({ price: { symbol } }) => symbol);
  expect(symbols("", "traded")).toEqual(["BUSDT", "AUSDT", "CUSDT"]);
  expect(symbols("", "change")).toEqual(["CUSDT", "BUSDT", "AUSDT"]);
  expect(symbols(" b", "symbol")).toEqual(["BUSDT"]);
});

test("trouble is named: a silent feed, stale prices, a source that stands in", () => {
  const fine = after(snapshot(0, [price("A", 1, 0)]));
  expect(troubleOf(fine, 0, 1)).toBeNull();
  expect(troubleOf(fine, 15_000, 1)).toEqual({ kind: "stale", ageMs: 15_000, why: "live" });
  const silent = apply(fine, update(5000, [], { status: { ...LIVE, state: "silent" } }), 5000);
  expect(troubleOf(silent, 5000, 1)).toEqual({ kind: "stale", ageMs: 5000, why: "silent" });
  const fallback = apply(fine, update(0, [], { status: { ...LIVE, source: "ccxt:kraken", role: "secondary" } }), 0);
  expect(troubleOf(fallback, 0, 1)).toEqual({ kind: "fallback", source: "ccxt:kraken", missing: "binance" });
  const outage = apply(fine, update(0, [], { status: { ...LIVE, source: null, role: null } }), 0);
  expect(troubleOf(outage, 0, 1)).toEqual({ kind: "outage" });
  expect(troubleOf(EMPTY, 0, 1)).toBeNull();
});

test("a changed alert takes its old place", () => {
  const alert = (id: string, at: string, armed = true) => ({ id, created_at: at, armed }) as Alert;
  const alerts = withAlert(withAlert(withAlert([], alert("1", "a")), alert("2", "b")), alert("1", "a", false));
  expect(alerts.map(({ id, armed }) => [id, armed])).toEqual([["2", true], ["1", false]]);
});

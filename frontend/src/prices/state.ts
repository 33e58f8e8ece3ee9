/** What the page knows about prices: the newest of each symbol, its last points, and what happened. Pure. */

import type { Activity, Alert, FeedStatus, LivePrice, Point, PricesMessage } from "./types";

export const POINTS_KEPT = 600;
export const ACTIVITY_KEPT = 100;
/** The server calls a price stale at this age; between messages the page has to see it for itself. */
export const STALE_MS = 10_000;

export interface Ticker {
  price: LivePrice;
  /** The price before, against which the last change is shown. */
  before: number | null;
  points: readonly Point[];
}

export interface PricesState {
  tickers: ReadonlyMap<string, Ticker>;
  status: FeedStatus | null;
  /** Newest first. */
  activity: readonly Activity[];
  /** The server's clock less ours, in ms. */
  offsetMs: number;
}

export const EMPTY: PricesState = { tickers: new Map(), status: null, activity: [], offsetMs: 0 };

/** The state after a message that arrived at `nowMs` of our clock. A late or doubled price changes nothing. */
export function apply(state: PricesState, message: PricesMessage, nowMs: number): PricesState {
  const tickers = new Map(message.type === "snapshot" ? kept(state, message) : state.tickers);
  for (const price of message.prices) tickers.set(price.symbol, advanced(tickers.get(price.symbol), price));
  const offset = message.at_ms - nowMs;
  return {
    tickers,
    status: message.status ?? state.status,
    activity: merged(state.activity, message.activity),
    // A message that was long on its way makes the server's clock look late: the largest difference is the truest.
    offsetMs: message.type === "snapshot" ? offset : Math.max(state.offsetMs, offset),
  };
}

/** A snapshot has every symbol there is: what it lacks is gone. */
function kept(state: PricesState, { prices }: PricesMessage): [string, Ticker][] {
  const known = new Set(prices.map(({ symbol }) => symbol));
  return [...state.tickers].filter(([symbol]) => known.has(symbol));
}

function advanced(ticker: Ticker | undefined, price: LivePrice): Ticker {
  const point: Point = [price.exchange_time_ms ?? price.received_time_ms, price.price];
  if (!ticker) return { price, before: null, points: [point] };
  if (price.received_time_ms < ticker.price.received_time_ms) return ticker;
  if (price.received_time_ms === ticker.price.received_time_ms) return { ...ticker, price };
  const before = price.price === ticker.price.price ? ticker.before : ticker.price.price;
  const earlier = ticker.points.at(-1)?.[0] === point[0] ? ticker.points.slice(0, -1) : ticker.points;
  return { price, before, points: [...earlier, point].slice(-POINTS_KEPT) };
}

function merged(before: readonly Activity[], arrived: readonly Activity[]): readonly Activity[] {
  const known = new Set(before.map(({ id }) => id));
  const fresh = arrived.filter(({ id }) => !known.has(id));
  if (fresh.length === 0) return before;
  return [...fresh, ...before].sort((a, b) => b.id - a.id).slice(0, ACTIVITY_KEPT);
}

/** The state with what was stored of symbols' last points, oldest first, before what came live. */
export function withHistory(state: PricesState, histories: ReadonlyMap<string, readonly Point[]>): PricesState {
  const tickers = new Map(state.tickers);
  for (const [symbol, stored] of histories) {
    const ticker = tickers.get(symbol);
    if (!ticker) continue;
    const first = ticker.points[0]?.[0] ?? Infinity;
    const points = [...stored.filter(([ms]) => ms < first), ...ticker.points];
    tickers.set(symbol, { ...ticker, before: ticker.before ?? lastOther(points, ticker.price.price), points: points.slice(-POINTS_KEPT) });
  }
  return { ...state, tickers };
}

function lastOther(points: readonly Point[], price: number): number | null {
  return points.findLast(([, value]) => value !== price)?.[1] ?? null;
}

/** How old a price is now, in ms. */
export const ageOf = (state: PricesState, price: LivePrice, nowMs: number): number =>
  Math.max(0, nowMs + state.offsetMs - price.received_time_ms);

/** Whether a price is too old to be believed: the server said so, or nothing came for longer than it could take. */
export const isStale = (state: PricesState, price: LivePrice, nowMs: number, intervalSeconds: number): boolean =>
  price.stale || ageOf(state, price, nowMs) > STALE_MS + intervalSeconds * 1000;

export type Ordering = "traded" | "change" | "symbol";

/** The tickers that match a search, in order; the most traded, or the largest rise, first. */
export function listed(state: PricesState, search: string, ordering: Ordering): Ticker[] {
  const wanted = search.trim().toUpperCase();
  const found = [...state.tickers.values()].filter(({ price }) => price.symbol.includes(wanted));
  const value = ({ price }: Ticker) => (ordering === "traded" ? price.volume_24h_quote : price.change_24h) ?? -Infinity;
  return found.sort((a, b) => {
    const [one, other] = [value(a), value(b)];
    if (ordering !== "symbol" && one !== other) return other - one;
    return a.price.symbol < b.price.symbol ? -1 : 1;
  });
}

/** What the banner says, most important first; null when prices come as they should. */
export type Trouble =
  | { kind: "stale"; ageMs: number | null; why: FeedStatus["state"] }
  | { kind: "outage" }
  | { kind: "fallback"; source: string; missing: string }
  | null;

export function troubleOf(state: PricesState, nowMs: number, intervalSeconds: number): Trouble {
  const { status, tickers } = state;
  const prices = [...tickers.values()].map(({ price }) => price);
  const ages = prices.map((price) => ageOf(state, price, nowMs));
  const isAllStale = prices.length > 0 && prices.every((price) => isStale(state, price, nowMs, intervalSeconds));
  if (isAllStale || (status !== null && (status.state === "stale" || status.state === "silent"))) {
    return { kind: "stale", ageMs: ages.length > 0 ? Math.min(...ages) : null, why: status?.state ?? "none" };
  }
  if (status?.state === "live" && status.source === null) return { kind: "outage" };
  if (status?.source && status.role !== null && status.role !== "primary") {
    return { kind: "fallback", source: status.source, missing: status.sources.find(({ role }) => role === "primary")?.name ?? "the primary source" };
  }
  return null;
}

/** The user's alerts with one that was changed, newest first; pure. */
export function withAlert(alerts: readonly Alert[], changed: Alert): Alert[] {
  const others = alerts.filter(({ id }) => id !== changed.id);
  return [changed, ...others].sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
}

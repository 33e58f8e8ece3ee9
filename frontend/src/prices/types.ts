/** What the API says about live prices. Times are milliseconds since the epoch, changes are fractions. */

export interface LivePrice {
  symbol: string;
  price: number;
  source: string;
  /** Where its source stands in the order: primary, or one that stands in for it. */
  role: "primary" | "secondary" | "tertiary";
  exchange_time_ms: number | null;
  received_time_ms: number;
  change_24h: number | null;
  high_24h: number | null;
  low_24h: number | null;
  volume_24h_quote: number | null;
  is_replay: boolean;
  /** How old it was when the message was written. */
  age_ms: number;
  stale: boolean;
}

export interface SourceStatus {
  name: string;
  role: LivePrice["role"];
  state: string;
  since_ms: number | null;
  reason: string | null;
}

/** `live`; `stale`: no source brings prices; `silent`: the feed process says nothing; `none`: there was never one. */
export type FeedState = "live" | "stale" | "silent" | "none";

export interface FeedStatus {
  state: FeedState;
  source: string | null;
  role: LivePrice["role"] | null;
  since_ms: number | null;
  is_replay: boolean;
  sources: SourceStatus[];
}

export interface Activity {
  /** Rises. */
  id: number;
  at_ms: number;
  kind: string;
  symbol?: string | null;
  source?: string | null;
  [field: string]: unknown;
}

export type Direction = "up" | "down" | "either";

/** What an alert waits for: a price that is crossed, or a move of so many percent within so many minutes. */
export interface AlertRequest {
  symbol: string;
  kind: "crosses" | "moves";
  direction: Direction;
  price: number | null;
  percent: number | null;
  minutes: number | null;
  webhook: string;
}

export interface Alert extends AlertRequest {
  id: string;
  armed: boolean;
  created_at: string;
  fired_at: string | null;
  fired_price: number | null;
  fired_source: string | null;
  fired_is_replay: boolean;
}

/** The same for WebSocket, server-sent events and polling. A snapshot holds all, an update what is new. */
export interface PricesMessage {
  type: "snapshot" | "update";
  at_ms: number;
  prices: LivePrice[];
  activity: Activity[];
  /** Null where it did not change. */
  status: FeedStatus | null;
  /** Alerts of this user that fired. */
  alerts: Alert[];
}

/** A time in ms and the price at it, oldest first. */
export type Point = [number, number];

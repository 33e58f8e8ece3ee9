/** Prices, alerts and what happened, in words. Pure. */

import * as format from "../format";
import { shortName } from "../table/symbols";
import type { Activity, Alert, AlertRequest, FeedState, SourceStatus } from "./types";

export const ARROWS = { up: "▲", down: "▼", flat: "" } as const;
export type Way = keyof typeof ARROWS;

export const wayOf = (change: number | null | undefined): Way => (!change ? "flat" : change > 0 ? "up" : "down");

export const toneOf = (change: number | null | undefined): string => ({ up: "gain", down: "loss", flat: "" })[wayOf(change)];

const NAMES: Record<string, string> = { coingecko: "CoinGecko", okx: "OKX", gateio: "Gate.io", kucoin: "KuCoin" };

/** "ccxt:kraken" → "Kraken". */
export function sourceName(source: string | null | undefined): string {
  const name = (source ?? "").replace(/^ccxt:/, "");
  return NAMES[name] ?? (name ? format.sentence(name) : "no source");
}

/** How old something is: now, 12 s, 3 min, 2 h. */
export function age(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 2) return "now";
  if (seconds < 100) return `${seconds}${format.THIN}s`;
  if (seconds < 6000) return `${Math.floor(seconds / 60)}${format.THIN}min`;
  return `${Math.floor(seconds / 3600)}${format.THIN}h`;
}

const WHY: Record<FeedState, string> = {
  live: "The connection may be interrupted.",
  stale: "None of the sources answers; the feed goes on trying.",
  silent: "The feed process says nothing; it may have ended or be cut off.",
  none: "No feed has ever run here.",
};

export const whyStale = (state: FeedState): string => WHY[state];

const SOURCE_STATES: Record<string, string> = {
  active: "in use", standby: "stands by", starting: "starting", failing: "fails", waiting: "waits to try again", broken: "fails", connecting: "connecting",
};

export const sourceState = ({ state, reason }: SourceStatus): string => [SOURCE_STATES[state] ?? state, reason].filter(Boolean).join(": ");

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const number = (value: unknown): number | null => (typeof value === "number" ? value : null);

/** One entry of the activity feed: what it is about, and what happened. */
export function activityText(entry: Activity): { about: string; what: string; tone: string } {
  const about = entry.symbol ? shortName(entry.symbol) : "Feed";
  const price = format.price(number(entry["price"]));
  switch (entry.kind) {
    case "large_move": {
      const change = number(entry["change"]);
      return { about, what: `${format.signedPercent(change)} in ${format.duration(number(entry["seconds"]))}`, tone: toneOf(change) };
    }
    case "high_24h": return { about, what: `new 24 h high, ${price}`, tone: "gain" };
    case "low_24h": return { about, what: `new 24 h low, ${price}`, tone: "loss" };
    case "source_change": return { about, what: changeText(entry), tone: "" };
    case "outage": return { about, what: `no source works${because(entry)}`, tone: "loss" };
    case "recovered": return { about, what: `prices are back, from ${sourceName(entry.source)}`, tone: "gain" };
    case "quarantined": return { about, what: `a price of ${sourceName(entry.source)} was not shown${because(entry)}`, tone: "" };
    case "delisted": return { about, what: `no longer traded at ${sourceName(entry.source)}`, tone: "loss" };
    default: return { about, what: format.sentence(entry.kind), tone: "" };
  }
}

function changeText(entry: Activity): string {
  const before = text(entry["before"]);
  return `${before ? `${sourceName(before)} → ` : "prices from "}${sourceName(entry.source)}${before ? because(entry) : ""}`;
}

const because = (entry: Activity): string => (text(entry["reason"]) ? `: ${text(entry["reason"])}` : "");

/** "rises above 44,000", "moves 5 % within 10 min". */
export function conditionText(alert: AlertRequest): string {
  if (alert.kind === "crosses") {
    const verb = { up: "rises above", down: "falls below", either: "crosses" }[alert.direction];
    return `${verb} ${format.price(alert.price)}`;
  }
  const verb = { up: "rises", down: "falls", either: "moves" }[alert.direction];
  return `${verb} ${plain(alert.percent)}${format.THIN}% within ${alert.minutes}${format.THIN}min`;
}

const plain = (value: number | null): string => (value === null ? format.NONE : String(Number(value.toPrecision(6))));

/** "Kraken", and "replay" where stored candles were played again. */
export function originText({ fired_source, fired_is_replay }: Alert): string {
  if (!fired_is_replay) return sourceName(fired_source);
  return fired_source === "replay" ? "a replay" : `${sourceName(fired_source)}, replayed`;
}

/** "BTC rose above 44,000: 44,012.50 from Kraken". */
export function firedText(alert: Alert): string {
  return `${shortName(alert.symbol)} ${conditionText(alert)}: ${format.price(alert.fired_price)} from ${originText(alert)}`;
}

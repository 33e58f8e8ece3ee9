/** What data exists for a run: sources and intervals, their cryptocurrencies, and the time they cover. Pure. */

import type { Cryptocurrency, Series } from "../api/types";

export interface Listing {
  symbol: string;
  name: string;
  series: Series;
}

/** All series of one source and interval. */
export interface Market {
  key: string;
  source: string;
  interval: string;
  /** The stored interval that these candles are made of; null where they are stored themselves. */
  madeOf: string | null;
  listings: Listing[];
  firstDay: string;
  /** The day after the last candle: the end of a range is not included. */
  endDay: string;
  candleCount: number;
  generated: boolean;
}

const DAY_MS = 86_400_000;

const day = (time: number): string => new Date(time).toISOString().slice(0, 10);

export const marketKey = (source: string, interval: string): string => `${source} ${interval}`;

/** The market of most series first, of these the one of most candles; generated ones last. */
export function marketsOf(cryptocurrencies: readonly Cryptocurrency[]): Market[] {
  const listings = new Map<string, Listing[]>();
  for (const { symbol, name, series } of cryptocurrencies) {
    for (const one of series) {
      const key = marketKey(one.source, one.interval);
      listings.set(key, [...(listings.get(key) ?? []), { symbol, name, series: one }]);
    }
  }
  return [...listings]
    .map(([key, all]) => marketOf(key, all))
    .sort((a, b) => Number(a.generated) - Number(b.generated) || b.listings.length - a.listings.length || b.candleCount - a.candleCount);
}

function marketOf(key: string, listings: Listing[]): Market {
  const first = Math.min(...listings.map(({ series }) => Date.parse(series.first_open)));
  const last = Math.max(...listings.map(({ series }) => Date.parse(series.last_open)));
  return {
    key,
    source: listings[0]!.series.source,
    interval: listings[0]!.series.interval,
    madeOf: null,
    listings,
    firstDay: day(first),
    endDay: day(Math.floor(last / DAY_MS) * DAY_MS + DAY_MS),
    candleCount: listings.reduce((sum, { series }) => sum + series.candle_count, 0),
    generated: listings.some(({ series }) => series.generated),
  };
}

const MINUTES: Record<string, number> = {
  "1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "6h": 360, "8h": 480, "12h": 720, "1d": 1440, "1w": 10080,
};

/** The stored markets, and after them the coarser ones that the server makes of each source's most complete one. */
export function withCoarser(markets: readonly Market[]): Market[] {
  const known = new Set(markets.map(({ key }) => key));
  const coarser: Market[] = [];
  for (const market of markets) {
    for (const [interval, minutes] of Object.entries(MINUTES)) {
      const ratio = minutes / (MINUTES[market.interval] ?? Infinity);
      const key = marketKey(market.source, interval);
      if (ratio <= 1 || !Number.isInteger(ratio) || known.has(key)) continue;
      known.add(key);
      const listings = market.listings.map(({ series, ...one }) => ({ ...one, series: { ...series, interval, candle_count: Math.floor(series.candle_count / ratio) } }));
      coarser.push({ ...market, key, interval, madeOf: market.interval, listings, candleCount: Math.floor(market.candleCount / ratio) });
    }
  }
  return [...markets, ...coarser];
}

/** About how many candles of the chosen listings lie in a range. */
export function candlesInRange(listings: readonly Listing[], start: string, end: string): number {
  const from = start ? Date.parse(start) : -Infinity;
  const until = end ? Date.parse(end) : Infinity;
  let candles = 0;
  for (const { series } of listings) {
    const first = Date.parse(series.first_open);
    const last = Date.parse(series.last_open);
    const overlap = Math.min(last, until) - Math.max(first, from);
    if (overlap > 0) candles += series.candle_count * Math.min(1, overlap / Math.max(1, last - first));
  }
  return Math.round(candles);
}

export interface QuickRange {
  title: string;
  start: string;
  end: string;
}

/** All data, the last year or two, and each calendar year that is at least half there. */
export function quickRanges(market: Market): QuickRange[] {
  const ranges: QuickRange[] = [{ title: "All", start: market.firstDay, end: market.endDay }];
  for (const [title, years] of [["Last 2 years", 2], ["Last year", 1]] as const) {
    const start = new Date(market.endDay);
    start.setUTCFullYear(start.getUTCFullYear() - years);
    if (day(start.getTime()) > market.firstDay) ranges.push({ title, start: day(start.getTime()), end: market.endDay });
  }
  for (let year = Number(market.firstDay.slice(0, 4)); year <= Number(market.endDay.slice(0, 4)); year += 1) {
    const [start, end] = [`${year}-01-01`, `${year + 1}-01-01`];
    const from = start > market.firstDay ? start : market.firstDay;
    const until = end < market.endDay ? end : market.endDay;
    if (Date.parse(until) - Date.parse(from) > 182 * DAY_MS) ranges.push({ title: String(year), start: from, end: until });
  }
  return ranges;
}

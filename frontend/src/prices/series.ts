/** Several symbols' points on one time axis. Pure. */

import type { Point } from "./types";

export interface Line {
  symbol: string;
  points: readonly Point[];
}

export interface Aligned {
  /** Seconds, rising. */
  times: number[];
  /** One per line; null where a symbol has no point at that time. */
  values: (number | null)[][];
}

/** All points; several lines as their change in percent since the first time that all of them have. */
export function aligned(lines: readonly Line[]): Aligned {
  const from = lines.length > 1 ? Math.max(...lines.map(({ points }) => points[0]?.[0] ?? -Infinity)) : -Infinity;
  const shown = lines.map(({ points }) => points.filter(([ms]) => ms >= from));
  const times = [...new Set(shown.flatMap((points) => points.map(([ms]) => ms)))].sort((a, b) => a - b);
  const values = shown.map((points) => {
    const first = points[0]?.[1] ?? 1;
    const known = new Map(points.map(([ms, value]) => [ms, lines.length > 1 ? 100 * (value / first - 1) : value]));
    return times.map((ms) => known.get(ms) ?? null);
  });
  return { times: times.map((ms) => ms / 1000), values };
}

/** Live figures over the rows that have arrived so far. */

import type { Row } from "./state";

export interface Statistics {
  count: number;
  positive: number;
  median: number | null;
  mean: number | null;
  medianBuyHold: number | null;
  best: Row | null;
  worst: Row | null;
  cached: number;
  generated: number;
}

export function median(sorted: readonly number[]): number | null {
  if (sorted.length === 0) return null;
  const half = sorted.length / 2;
  return (sorted[Math.ceil(half) - 1]! + sorted[Math.floor(half)]!) / 2;
}

const finite = (value: number | null | undefined): value is number => typeof value === "number";

export function returnsOf(rows: Iterable<Row>, metric = "total_return"): number[] {
  return [...rows].map((row) => row.metrics[metric]).filter(finite).sort((a, b) => a - b);
}

export function statistics(rows: Iterable<Row>): Statistics {
  const all = [...rows];
  const returns = returnsOf(all);
  const byReturn = all.filter((row) => finite(row.metrics["total_return"]));
  byReturn.sort((a, b) => b.metrics["total_return"]! - a.metrics["total_return"]!);
  return {
    count: returns.length,
    positive: returns.filter((value) => value > 0).length,
    median: median(returns),
    mean: returns.length > 0 ? returns.reduce((sum, value) => sum + value, 0) / returns.length : null,
    medianBuyHold: median(returnsOf(all, "buy_hold_return")),
    best: byReturn[0] ?? null,
    worst: byReturn.at(-1) ?? null,
    cached: all.filter((row) => row.cached).length,
    generated: all.filter((row) => row.generated).length,
  };
}

/** Where returns lie: bins for a histogram, and a scale that a few extremes do not squeeze. Pure. */

export interface Bin {
  from: number;
  /** Infinity in the last bin when it holds the rest. */
  to: number;
  count: number;
}

const BIN_WIDTHS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];
const BIN_COUNT = 24;
/** What lies further above the middle half of the values than this many times its width is shown at the edge. */
const FAR = 3;
/** A gain up to this is never taken as extreme. */
const NEAR = 1;

export function quantile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return NaN;
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)]!;
  return low + (sorted[Math.ceil(at)]! - low) * (at - Math.floor(at));
}

/** The upper end of a scale on which a few extremes do not squeeze the rest. */
function upperEnd(sorted: readonly number[]): number {
  const [low, high] = [quantile(sorted, 0.25), quantile(sorted, 0.75)];
  return Math.max(0, Math.min(sorted.at(-1)!, Math.max(NEAR, high + FAR * (high - low))));
}

/** Bins of a round width; a bin border lies at zero, so that no bin mixes gains and losses. */
export function histogram(values: readonly number[]): Bin[] {
  if (values.length === 0) return [];
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [Math.min(0, sorted[0]!), upperEnd(sorted)];
  const width = BIN_WIDTHS.find((one) => (high - low) / one <= BIN_COUNT) ?? (high - low) / BIN_COUNT;
  const first = Math.floor(low / width);
  const last = Math.max(first + 1, Math.ceil(high / width));
  const bins: Bin[] = Array.from({ length: last - first }, (_, index) => ({ from: (first + index) * width, to: (first + index + 1) * width, count: 0 }));
  for (const value of sorted) bins[Math.min(bins.length - 1, Math.floor(value / width) - first)]!.count += 1;
  if (sorted.at(-1)! > bins.at(-1)!.to) bins.at(-1)!.to = Infinity;
  return bins;
}

/** The ends of an axis that shows all but the most extreme values, and zero. */
export function extent(values: readonly number[]): [low: number, high: number] {
  if (values.length === 0) return [-1, 1];
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [Math.min(0, sorted[0]!), upperEnd(sorted)];
  const margin = (high - low || 1) * 0.06;
  return [Math.max(-1, low - margin), high + margin];
}

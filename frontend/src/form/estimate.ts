/** How long a run will take, judged by those of late. Pure. */

import type { Run } from "../api/types";

/** Fewer results than this say little: starting takes longer than computing. */
const MIN_COMPUTED = 5;
const RUNS_COUNTED = 5;

export interface Estimate {
  seconds: number;
  /** The rate it goes by: results computed a second. */
  perSecond: number;
  /** How many runs it was measured in. */
  runCount: number;
}

/**
 * The time for so many results over so many candles, at the median rate of the latest runs; null where none has been measured.
 *
 * A backtest takes longer over more candles, but most of a job is not the backtest: runs over the same interval are compared where there are any.
 */
export function estimated(count: number, interval: string, runs: readonly Run[]): Estimate | null {
  const rates = runs.flatMap((run) => {
    const computed = run.summary?.computed_count ?? 0;
    const seconds = run.progress.elapsed_seconds;
    return run.kind === "backtest" && computed >= MIN_COMPUTED && seconds > 0 ? [{ interval: run.spec.interval, rate: computed / seconds }] : [];
  });
  const alike = rates.filter((one) => one.interval === interval);
  const counted = (alike.length > 0 ? alike : rates).slice(0, RUNS_COUNTED).map(({ rate }) => rate).sort((a, b) => a - b);
  const perSecond = counted[Math.floor(counted.length / 2)];
  return perSecond === undefined ? null : { seconds: count / perSecond, perSecond, runCount: counted.length };
}

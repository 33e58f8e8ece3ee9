/** The symbols of a run that are not done yet. Pure. */

import type { RunState } from "./state";

/** `market`: all symbols of the run's source, for a run that takes all. */
export function waitingSymbols({ run, rows, failures }: RunState, market: readonly string[]): string[] {
  const all = run.spec.symbols === "all" ? market : run.spec.symbols;
  return all.filter((symbol) => !rows.has(symbol) && !failures.has(symbol));
}

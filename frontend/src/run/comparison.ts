/** Several runs side by side: what differs in their requests, and their returns by symbol. Pure. */

import type { Result, Run } from "../api/types";
import * as format from "../format";
import { settingsOf } from "./settings-text";

export interface Compared {
  run: Run;
  results: readonly Result[];
}

/** The settings that are not the same in all runs, one row each. */
export function differences(runs: readonly Run[], strategies: readonly string[]): { title: string; values: string[] }[] {
  const all = runs.map(({ spec }, index) => new Map([["Strategy", strategies[index]!], ...settingsOf(spec)]));
  const titles = [...new Set(all.flatMap((one) => [...one.keys()]))];
  return titles
    .map((title) => ({ title, values: all.map((one) => one.get(title) ?? format.NONE) }))
    .filter(({ values }) => new Set(values).size > 1);
}

export interface SymbolRow {
  symbol: string;
  /** One per run; null where the run has no result of the symbol. */
  returns: (number | null)[];
  /** Largest minus smallest. */
  spread: number;
}

/** Every symbol that any run has, those that the runs disagree on most first. */
export function bySymbol(compared: readonly Compared[]): SymbolRow[] {
  const returns = compared.map(({ results }) => new Map(results.map((result) => [result.symbol, result.metrics["total_return"] ?? null])));
  const symbols = [...new Set(returns.flatMap((one) => [...one.keys()]))];
  return symbols
    .map((symbol) => {
      const values = returns.map((one) => one.get(symbol) ?? null);
      const known = values.filter((value) => value !== null);
      return { symbol, returns: values, spread: known.length > 1 ? Math.max(...known) - Math.min(...known) : 0 };
    })
    .sort((a, b) => b.spread - a.spread || (a.symbol < b.symbol ? -1 : 1));
}

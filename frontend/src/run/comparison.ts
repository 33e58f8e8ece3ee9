/** Several runs side by side: what differs in their requests, and their returns by symbol. Pure. */

import type { BacktestSpec, Result, Run } from "../api/types";
import * as format from "../format";

export interface Compared {
  run: Run;
  results: readonly Result[];
}

const WRITTEN: Record<string, string> = {
  strategy: "Strategy", symbols: "Symbols", source: "Source", interval: "Interval", start: "Start", end: "End",
  initial_cash: "Initial cash", fee_rate: "Fee", slippage_rate: "Slippage", fill: "Fill",
};

function settings(spec: BacktestSpec): Map<string, string> {
  const rows = new Map<string, string>();
  for (const [name, title] of Object.entries(WRITTEN)) {
    const value = spec[name as keyof BacktestSpec];
    if (name === "start" || name === "end") rows.set(title, format.utcDay(value as string));
    else if (name.endsWith("_rate")) rows.set(title, format.percent(value as number, 3));
    else rows.set(title, Array.isArray(value) ? `${value.length} chosen` : String(value).replaceAll("_", " "));
  }
  for (const [name, value] of Object.entries(spec.parameters)) rows.set(format.sentence(name), value === null ? format.NONE : String(value));
  return rows;
}

/** The settings that are not the same in all runs, one row each. */
export function differences(runs: readonly Run[]): { title: string; values: string[] }[] {
  const all = runs.map(({ spec }) => settings(spec));
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

/** The strategies, read once for all pages. */

import { getStrategies } from "../api/client";
import type { DownloadSpec, Run, Strategy } from "../api/types";
import * as format from "../format";

let known: Promise<Strategy[]> | null = null;

export function strategies(): Promise<Strategy[]> {
  known ??= getStrategies().catch((error: unknown) => {
    known = null;
    throw error;
  });
  return known;
}

export const isBacktest = (run: Run): boolean => run.kind === "backtest";

/** What was asked, in a few words. */
export function runText(run: Run): string {
  if (isBacktest(run)) return parameterText(run.spec.parameters);
  const { exchange, interval, symbols } = run.spec as unknown as Partial<DownloadSpec>;
  return [exchange, interval, symbols && `${symbols.length} symbols`].filter(Boolean).join(" · ");
}

/** "RSI reversal" once the strategies are read, "Rsi" before. */
export function strategyTitle(run: Run, all: readonly Strategy[]): string {
  if (!isBacktest(run)) return format.sentence(run.kind);
  return all.find(({ name }) => name === run.spec.strategy)?.title ?? format.sentence(run.spec.strategy);
}

/** "period 14 · oversold 30": what distinguishes runs of one strategy. */
export function parameterText(parameters: Record<string, unknown>): string {
  return Object.entries(parameters)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${String(value)}`)
    .join(" · ");
}

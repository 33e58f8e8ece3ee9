/** The strategies, read once for all pages. */

import { getStrategies } from "../api/client";
import type { DownloadSpec, ImportSpec, Run, Strategy } from "../api/types";
import * as format from "../format";
import { executionText } from "./settings-text";

let known: Promise<Strategy[]> | null = null;

export function strategies(): Promise<Strategy[]> {
  known ??= getStrategies().catch((error: unknown) => {
    known = null;
    throw error;
  });
  return known;
}

export const isBacktest = (run: Run): boolean => run.kind === "backtest";
export const isScan = (run: Run): boolean => run.kind === "scan";

/** What was asked, in a few words. */
export function runText(run: Run): string {
  if (isBacktest(run)) return [parameterText(run.spec.parameters), executionText(run.spec)].filter(Boolean).join(" · ");
  if (isScan(run)) return [parameterText(run.spec.parameters), `${run.spec.interval} until ${format.utcMinute(run.spec.until ?? run.created_at)}`].filter(Boolean).join(" · ");
  const { exchange, file, interval, symbols } = run.spec as unknown as Partial<DownloadSpec & ImportSpec>;
  return [file, exchange, interval, symbols && `${symbols.length} symbols`].filter(Boolean).join(" · ");
}

/** "RSI reversal" once the strategies are read, "Rsi" before. */
export function strategyTitle(run: Run, all: readonly Strategy[]): string {
  if (!isBacktest(run) && !isScan(run)) return format.sentence(run.kind);
  return (isScan(run) ? "Scan: " : "") + titleOf(run.spec.strategy, all);
}

function titleOf(strategy: string, all: readonly Strategy[]): string {
  return all.find(({ name }) => name === strategy)?.title ?? format.sentence(strategy);
}

/** "period 14 · oversold 30": what distinguishes runs of one strategy. */
export function parameterText(parameters: Record<string, unknown>): string {
  return Object.entries(parameters)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${String(value)}`)
    .join(" · ");
}

/** A search in the server's words: it knows a strategy by its name, and its user by its title. `a|b` finds either. */
export function serverSearch(search: string, all: readonly Strategy[]): string {
  const begins = (text: string, word: string) => text.toLowerCase().split(/[^a-z0-9]+/).some((part) => part.startsWith(word.toLowerCase()));
  return search.trim().split(/\s+/)
    .map((word) => [word, ...all.filter(({ name, title }) => begins(title, word) && !begins(name, word)).map(({ name }) => name)].join("|"))
    .join(" ");
}

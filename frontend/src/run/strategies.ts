/** The strategies, read once for all pages. */

import { getStrategies } from "../api/client";
import type { Run, Strategy } from "../api/types";
import * as format from "../format";

let known: Promise<Strategy[]> | null = null;

export function strategies(): Promise<Strategy[]> {
  known ??= getStrategies().catch((error: unknown) => {
    known = null;
    throw error;
  });
  return known;
}

/** "RSI reversal" once the strategies are read, "Rsi" before. */
export function strategyTitle(run: Run, all: readonly Strategy[]): string {
  return all.find(({ name }) => name === run.spec.strategy)?.title ?? format.sentence(run.spec.strategy);
}

/** "period 14 · oversold 30": what distinguishes runs of one strategy. */
export function parameterText(parameters: Record<string, unknown>): string {
  return Object.entries(parameters)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${String(value)}`)
    .join(" · ");
}

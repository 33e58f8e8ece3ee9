/** What a scan has found so far: the strongest entries first, counted by what they say. Pure. */

import type { ScanBody } from "../api/types";
import type { RunState } from "./state";

export type Scanned = ScanBody & { hit: boolean | null };
export type Saying = "enter long" | "enter short" | "exit" | "hold";

/** In the order of the table. */
export const SAYINGS: readonly Saying[] = ["enter long", "enter short", "exit", "hold"];

export const sayingOf = ({ signal, side }: Pick<Scanned, "signal" | "side">): Saying =>
  signal === "enter" ? (side === "short" ? "enter short" : "enter long") : signal;

const strengthOf = ({ metrics }: Scanned): number => Math.abs(metrics["strength"] ?? 0);

/** Entries, exits, then the rest; of each the strongest first. */
export function scannedOf({ outcomes }: Pick<RunState, "outcomes">): Scanned[] {
  const all = [...outcomes.values()] as unknown as Scanned[];
  const rank = (one: Scanned) => SAYINGS.indexOf(sayingOf(one));
  return all.sort((a, b) => rank(a) - rank(b) || strengthOf(b) - strengthOf(a) || (a.symbol < b.symbol ? -1 : 1));
}

export function counted(scanned: readonly Scanned[]): Record<Saying, number> {
  const counts = { "enter long": 0, "enter short": 0, exit: 0, hold: 0 };
  for (const one of scanned) counts[sayingOf(one)] += 1;
  return counts;
}

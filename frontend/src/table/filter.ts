/**
 * What is typed into the filter: words that a symbol contains, and conditions on columns as they are shown.
 *
 * `sol` · `sharpe>1` · `return<-20 trades>=10` (percent where the header says percent) · `is:hit`. Pure.
 */

import type { Row } from "../run/state";
import { COLUMNS, type Column } from "./columns";

export type Predicate = (row: Row) => boolean;

const CONDITION = /([a-z&_]+)\s*(<=|>=|<|>|=)\s*([+\-−]?\d+(?:\.\d+)?)\s*%?/gi;

const normal = (name: string) => name.toLowerCase().replaceAll(/[^a-z]/g, "");

function columnNamed(name: string): Column | undefined {
  const wanted = normal(name);
  const named = (test: (known: string) => boolean) => COLUMNS.find((column) => [normal(column.title), normal(column.id)].some(test));
  return named((known) => known === wanted) ?? named((known) => known.startsWith(wanted)) ?? named((known) => known.includes(wanted));
}

const COMPARE: Record<string, (a: number, b: number) => boolean> = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "=": (a, b) => Math.abs(a - b) < 1e-9,
};

const MARKED: Record<string, Predicate> = {
  "is:hit": ({ hit }) => hit === true,
  "is:reused": ({ cached }) => cached,
  "is:warned": ({ warnings }) => warnings.length > 0,
};

/** What is compared in a filter but is no column: "bogus" in `bogus>1`. */
export function unknownColumn(text: string): string | null {
  for (const [, name] of text.matchAll(CONDITION)) if (!columnNamed(name!)) return name!;
  return null;
}

export function filterOf(text: string): Predicate {
  const conditions: Predicate[] = [];
  const words = text.replace(CONDITION, (all, name: string, operator: string, typed: string) => {
    const column = columnNamed(name);
    if (!column) return all;
    const limit = Number(typed.replace("−", "-")) / (column.unit === "%" ? 100 : 1);
    conditions.push((row) => {
      const value = column.value(row);
      return value !== null && COMPARE[operator]!(value, limit);
    });
    return " ";
  });
  for (const word of words.toLowerCase().split(/\s+/).filter(Boolean)) {
    conditions.push(MARKED[word] ?? ((row) => row.symbol.toLowerCase().includes(word)));
  }
  return (row) => conditions.every((condition) => condition(row));
}

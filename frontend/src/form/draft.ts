/** What the form of a new run holds: texts as they were typed. It travels in the address and is remembered. Pure. */

import type { BacktestSpec, Strategy } from "../api/types";
import { type Field, fieldsOf, parse } from "./fields";
import { type Market, marketKey } from "./market";

export interface Draft {
  strategy: string;
  parameters: Record<string, string>;
  market: string;
  /** Null means all. */
  symbols: string[] | null;
  start: string;
  end: string;
  initialCash: string;
  feePercent: string;
  slippagePercent: string;
  fill: string;
  /** What counts as a hit, and when the run ends before all is done. */
  hit: string;
  maxHits: string;
  maxFailures: string;
  timeoutSeconds: string;
  /** Symbols to do first, as typed. */
  prioritySymbols: string;
}

export const EMPTY_DRAFT: Draft = {
  strategy: "", parameters: {}, market: "", symbols: null, start: "", end: "",
  initialCash: "10000", feePercent: "0.1", slippagePercent: "0.05", fill: "next_open",
  hit: "", maxHits: "", maxFailures: "", timeoutSeconds: "", prioritySymbols: "",
};

const number = (name: string, title: string, unit: string, bounds: Partial<Field>): Field => ({
  name, title, unit, description: "", kind: "number", initial: "", optional: false,
  min: null, max: null, minExcluded: false, maxExcluded: false, step: null, choices: [], ...bounds,
});

export const COST_FIELDS = {
  initialCash: number("initial_cash", "Initial cash", "quote currency", { min: 0, minExcluded: true }),
  feePercent: number("fee_rate", "Fee", "% of each fill", { min: 0, max: 100, maxExcluded: true }),
  slippagePercent: number("slippage_rate", "Slippage", "% of each price", { min: 0, max: 100, maxExcluded: true }),
};

/** Left empty, none of them is asked for. */
export const END_FIELDS = {
  hit: { ...number("hit", "A hit is", "e.g. sharpe >= 1 and trade_count >= 20", {}), kind: "text", optional: true },
  maxHits: { ...number("max_hits", "End after hits", "", { min: 1 }), kind: "integer", optional: true },
  maxFailures: { ...number("max_failures", "End after failures", "", { min: 1 }), kind: "integer", optional: true },
  timeoutSeconds: { ...number("timeout_seconds", "End after", "seconds", { min: 0, minExcluded: true }), optional: true },
  prioritySymbols: { ...number("priority_symbols", "Do first", "symbols", {}), kind: "text", optional: true },
} satisfies Record<string, Field>;

export type EndKey = keyof typeof END_FIELDS;

/** The same draft with everything that does not exist here replaced by what does. */
export function fitted(draft: Draft, strategies: readonly Strategy[], markets: readonly Market[]): Draft {
  const strategy = strategies.find(({ name }) => name === draft.strategy) ?? strategies[0];
  const market = markets.find(({ key }) => key === draft.market) ?? markets[0];
  const fields = strategy ? fieldsOf(strategy.parameters) : [];
  const isSame = strategy?.name === draft.strategy;
  const listed = new Set(market?.listings.map(({ symbol }) => symbol));
  return {
    ...draft,
    strategy: strategy?.name ?? "",
    parameters: Object.fromEntries(fields.map(({ name, initial }) => [name, (isSame ? draft.parameters[name] : undefined) ?? initial])),
    market: market?.key ?? "",
    symbols: draft.symbols?.filter((symbol) => listed.has(symbol)) ?? null,
    start: draft.market === market?.key && draft.start ? draft.start : (market?.firstDay ?? ""),
    end: draft.market === market?.key && draft.end ? draft.end : (market?.endDay ?? ""),
  };
}

export type Errors = Record<string, string>;

/** The request that a draft makes, or what is wrong with which field (names as the API has them). */
export function specOf(draft: Draft, fields: readonly Field[], market: Market): { spec: Partial<BacktestSpec>; errors: Errors } {
  const errors: Errors = {};
  const read = (field: Field, text: string, name = field.name): unknown => {
    const parsed = parse(field, text);
    if ("error" in parsed) errors[name] = parsed.error;
    return "value" in parsed ? parsed.value : undefined;
  };
  const parameters: Record<string, unknown> = {};
  for (const field of fields) parameters[field.name] = read(field, draft.parameters[field.name] ?? "", `parameters.${field.name}`);
  const fraction = (value: unknown) => Number((Number(value) / 100).toPrecision(12));
  if (draft.symbols?.length === 0) errors["symbols"] = "Choose at least one cryptocurrency.";
  if (!draft.start) errors["start"] = "A day is needed.";
  if (!draft.end) errors["end"] = "A day is needed.";
  if (draft.start && draft.end && draft.start >= draft.end) errors["end"] = "The end must be later than the start.";
  const spec: Partial<BacktestSpec> = {
    strategy: draft.strategy,
    parameters,
    symbols: draft.symbols ?? "all",
    source: market.source,
    interval: market.interval,
    start: `${draft.start}T00:00:00Z`,
    end: `${draft.end}T00:00:00Z`,
    initial_cash: read(COST_FIELDS.initialCash, draft.initialCash) as number,
    fee_rate: fraction(read(COST_FIELDS.feePercent, draft.feePercent)),
    slippage_rate: fraction(read(COST_FIELDS.slippagePercent, draft.slippagePercent)),
    fill: draft.fill as BacktestSpec["fill"],
    ...ending(draft, read),
  };
  return { spec, errors };
}

/** Only what was asked for: an empty field leaves the server's default. */
function ending(draft: Draft, read: (field: Field, text: string) => unknown): Partial<BacktestSpec> {
  const asked = (Object.keys(END_FIELDS) as EndKey[]).filter((key) => draft[key].trim() !== "");
  const values = asked.map((key) => {
    const value = read(END_FIELDS[key], draft[key]);
    return [END_FIELDS[key].name, key === "prioritySymbols" ? String(value).toUpperCase().split(/[\s,]+/).filter(Boolean) : value];
  });
  return Object.fromEntries(values) as Partial<BacktestSpec>;
}

/** The form that would make this run again. */
export function draftOf(spec: BacktestSpec): Draft {
  const percent = (fraction: number) => String(Number((fraction * 100).toPrecision(12)));
  return {
    strategy: spec.strategy,
    parameters: Object.fromEntries(
      Object.entries(spec.parameters).map(([name, value]) => [name, value === null ? "" : String(value)]),
    ),
    market: marketKey(spec.source, spec.interval),
    symbols: spec.symbols === "all" ? null : spec.symbols,
    start: spec.start.slice(0, 10),
    end: spec.end.slice(0, 10),
    initialCash: String(spec.initial_cash),
    feePercent: percent(spec.fee_rate),
    slippagePercent: percent(spec.slippage_rate),
    fill: spec.fill,
    hit: spec.hit ?? "",
    maxHits: String(spec.max_hits ?? ""),
    maxFailures: String(spec.max_failures ?? ""),
    timeoutSeconds: String(spec.timeout_seconds ?? ""),
    prioritySymbols: (spec.priority_symbols ?? []).join(", "),
  };
}

const PLAIN = [
  "strategy", "market", "start", "end", "initialCash", "feePercent", "slippagePercent", "fill", "hit", "maxHits", "maxFailures", "timeoutSeconds", "prioritySymbols",
] as const;

export function toQuery(draft: Draft): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of PLAIN) if (draft[name]) query.set(name, draft[name]);
  for (const [name, text] of Object.entries(draft.parameters)) query.set(`p.${name}`, text);
  if (draft.symbols) query.set("symbols", draft.symbols.join(","));
  return query;
}

export function fromQuery(query: URLSearchParams): Draft {
  const draft: Draft = { ...EMPTY_DRAFT, parameters: {} };
  for (const name of PLAIN) draft[name] = query.get(name) ?? draft[name];
  for (const [name, text] of query) if (name.startsWith("p.")) draft.parameters[name.slice(2)] = text;
  const symbols = query.get("symbols");
  draft.symbols = symbols === null ? null : symbols.split(",").filter(Boolean);
  return draft;
}

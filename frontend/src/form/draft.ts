/** What the form of a new run holds: texts as they were typed. It travels in the address and is remembered. Pure. */

import type { BacktestRequest, BacktestSpec, Notify, Strategy } from "../api/types";
import { type Field, fieldsOf, parse } from "./fields";
import { type Market, marketKey } from "./market";
import { EMPTY_OPTIONS, OPTION_KEYS, type Options, optionsOf, requestOf } from "./options";

export interface Draft extends Options {
  strategy: string;
  parameters: Record<string, string>;
  market: string;
  /** Null means all. */
  symbols: string[] | null;
  start: string;
  end: string;
}

export const EMPTY_DRAFT: Draft = { strategy: "", parameters: {}, market: "", symbols: null, start: "", end: "", ...EMPTY_OPTIONS };

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
export function specOf(draft: Draft, fields: readonly Field[], market: Market): { spec: BacktestRequest; errors: Errors } {
  const errors: Errors = {};
  const parameters: Record<string, unknown> = {};
  for (const field of fields) {
    const parsed = parse(field, draft.parameters[field.name] ?? "");
    if ("error" in parsed) errors[`parameters.${field.name}`] = parsed.error;
    else parameters[field.name] = parsed.value;
  }
  if (draft.symbols?.length === 0) errors["symbols"] = "Choose at least one cryptocurrency.";
  if (draft.task !== "scan") Object.assign(errors, rangeErrors(draft));
  const spec: BacktestRequest = {
    strategy: draft.strategy,
    parameters,
    symbols: draft.symbols ?? "all",
    source: market.source,
    interval: market.interval,
    ...(draft.task === "scan" ? {} : { start: `${draft.start}T00:00:00Z`, end: `${draft.end}T00:00:00Z` }),
    ...requestOf(draft, (name, error) => { errors[name] = error; }),
  };
  return { spec, errors };
}

function rangeErrors({ start, end }: Draft): Errors {
  if (start && end) return start < end ? {} : { end: "The end must be later than the start." };
  return { ...(start ? {} : { start: "A day is needed." }), ...(end ? {} : { end: "A day is needed." }) };
}

/** The form that would make this run again. */
export function draftOf(spec: BacktestSpec, notify: Notify = {}): Draft {
  return {
    ...optionsOf(spec, notify),
    strategy: spec.strategy,
    parameters: Object.fromEntries(
      Object.entries(spec.parameters).map(([name, value]) => [name, value === null ? "" : String(value)]),
    ),
    market: marketKey(spec.source, spec.interval),
    symbols: spec.symbols === "all" ? null : spec.symbols,
    start: spec.start?.slice(0, 10) ?? "",
    end: spec.end?.slice(0, 10) ?? "",
  };
}

const PLAIN = ["strategy", "market", "start", "end", ...OPTION_KEYS] as const;

/** What differs from an empty form. */
export function toQuery(draft: Draft): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of PLAIN) if (draft[name] !== EMPTY_DRAFT[name]) query.set(name, draft[name]);
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

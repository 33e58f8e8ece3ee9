/** What can be asked of a run besides strategy and market: costs, sizes, stops, an early end, whom to tell. Pure. */

import type { BacktestRequest, BacktestSpec, Notify } from "../api/types";
import { type Field, parse } from "./fields";

export interface Option extends Field {
  /** Typed in percent, sent as a fraction. */
  inPercent: boolean;
}

const option = (name: string, title: string, unit: string, bounds: Partial<Field> = {}): Option => ({
  name, title, unit, description: "", kind: "number", initial: "", optional: false, inPercent: unit.startsWith("%"),
  min: null, max: null, minExcluded: false, maxExcluded: false, step: null, choices: [], ...bounds,
});
const positive = { min: 0, minExcluded: true };
const stop = { ...positive, max: 100, maxExcluded: true, optional: true };
const countFrom = (min: number): Partial<Field> => ({ kind: "integer", min, optional: true });
const text = { kind: "text", optional: true } as const;

export const COST_FIELDS = {
  initialCash: option("initial_cash", "Initial cash", "quote coin", positive),
  feePercent: option("fee_rate", "Fee", "% of each fill", { min: 0, max: 50 }),
  fixedFee: option("fixed_fee", "Fixed fee", "per fill", { min: 0 }),
  slippagePercent: option("slippage_rate", "Slippage", "% of each price", { min: 0, max: 50 }),
};

/** One of them counts: the one that `Draft.sizing` names. */
export const SIZE_FIELDS = {
  equityPercent: option("equity_fraction", "A share of equity", "%", { ...positive, max: 100 }),
  fixedCash: option("fixed_cash", "A fixed amount", "quote currency", positive),
};

/** Left empty, there is none. */
export const STOP_FIELDS = {
  stopLossPercent: option("stop_loss", "Stop loss", "% of entry", stop),
  takeProfitPercent: option("take_profit", "Take profit", "% of entry", { ...positive, optional: true }),
  trailingStopPercent: option("trailing_stop", "Trailing stop", "% of entry", stop),
  maxHoldingBars: option("max_holding_bars", "Longest holding", "bars", countFrom(1)),
  cooldownBars: option("cooldown_bars", "Pause after a stop", "bars", countFrom(0)),
};

/** Left empty, none of them is asked for. */
export const END_FIELDS = {
  hit: option("hit", "A hit is", "e.g. sharpe >= 1 and trade_count >= 20", text),
  maxHits: option("max_hits", "End after hits", "", countFrom(1)),
  maxFailures: option("max_failures", "End after failures", "", countFrom(1)),
  timeoutSeconds: option("timeout_seconds", "End after", "seconds", { ...positive, optional: true }),
  prioritySymbols: option("priority_symbols", "Do first", "symbols", text),
};

export const NOTIFY_FIELDS = {
  webhook: option("notify.webhook", "Webhook", "an https address that gets a signed POST", text),
  email: option("notify.email", "E-mail to my address", "", { kind: "boolean", optional: true }),
};

/** What a scan asks beside the strategy and the market. */
export const SCAN_FIELDS = {
  withinBars: option("within_bars", "Signals of the latest", "candles", { kind: "integer", min: 1, max: 1000 }),
};

/** What is asked of the market, where orders are filled, which sides are taken, which field of the sizes counts, and what is done first. */
export const CHOICES = {
  task: [["backtest", "Backtest its history"], ["scan", "Scan it now"]],
  scanSides: [["long_short", "long and short"], ["long", "long only"], ["short", "short only"]],
  fill: [["next_open", "at the next bar's open"], ["same_close", "at the same bar's close"]],
  direction: [["long", "long only"], ["short", "short only"], ["long_short", "long and short"]],
  sizing: [["equity", "a share of equity"], ["cash", "a fixed amount"]],
  order: [["volume", "the most traded"], ["promise", "what was a hit in my runs before"]],
} as const;

export type CostKey = keyof typeof COST_FIELDS;
export type SizeKey = keyof typeof SIZE_FIELDS;
export type StopKey = keyof typeof STOP_FIELDS;
export type EndKey = keyof typeof END_FIELDS;
export type NotifyKey = keyof typeof NOTIFY_FIELDS;
export type ChoiceKey = keyof typeof CHOICES;
/** What a preset saves beside the strategy's parameters. */
export type ExecutionKey = CostKey | SizeKey | StopKey | "fill" | "direction" | "sizing";
export type OptionKey = ExecutionKey | EndKey | NotifyKey | ChoiceKey | "withinBars";

/** Texts as they were typed. */
export type Options = Record<OptionKey, string>;

export const EMPTY_OPTIONS: Options = {
  initialCash: "10000", feePercent: "0.1", fixedFee: "0", slippagePercent: "0.05", fill: "next_open",
  direction: "long", sizing: "equity", order: "volume", equityPercent: "100", fixedCash: "1000",
  stopLossPercent: "", takeProfitPercent: "", trailingStopPercent: "", maxHoldingBars: "", cooldownBars: "",
  task: "backtest", scanSides: "long_short", withinBars: "1", hit: "", maxHits: "", maxFailures: "", timeoutSeconds: "", prioritySymbols: "", webhook: "", email: "",
};

export const OPTION_KEYS = Object.keys(EMPTY_OPTIONS) as OptionKey[];
export const EXECUTION_KEYS: readonly ExecutionKey[] = [
  ...(Object.keys(COST_FIELDS) as CostKey[]), ...(Object.keys(SIZE_FIELDS) as SizeKey[]),
  ...(Object.keys(STOP_FIELDS) as StopKey[]), "fill", "direction", "sizing",
];

const FIELDS: Record<Exclude<OptionKey, ChoiceKey>, Option> = { ...COST_FIELDS, ...SIZE_FIELDS, ...STOP_FIELDS, ...END_FIELDS, ...NOTIFY_FIELDS, ...SCAN_FIELDS };

/** Names as the API has them. */
export const OPTION_NAMES: readonly string[] = [...Object.values(FIELDS).map(({ name }) => name), "fill", "direction", "order"];

export const executionOf = (options: Options): Record<ExecutionKey, string> =>
  Object.fromEntries(EXECUTION_KEYS.map((key) => [key, options[key]])) as Record<ExecutionKey, string>;

const rounded = (value: number): number => Number(value.toPrecision(12));

/** The part of a request that the options make; what is wrong goes to `refuse`, by the API's names. */
export function requestOf(options: Options, refuse: (name: string, error: string) => void): BacktestRequest {
  const isScan = options.task === "scan";
  const own = isScan ? { direction: options.scanSides } : { fill: options.fill, direction: options.direction };
  const request: Record<string, unknown> = { ...own, order: options.order };
  const notify: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(FIELDS) as [Exclude<OptionKey, ChoiceKey>, Option][]) {
    if (isLeftOut(key, field, options)) continue;
    const parsed = parse(field, options[key]);
    if ("error" in parsed) refuse(field.name, parsed.error);
    else if (key in NOTIFY_FIELDS) notify[key] = parsed.value;
    else request[field.name] = key === "prioritySymbols" ? symbolsIn(String(parsed.value)) : field.inPercent ? rounded(Number(parsed.value) / 100) : parsed.value;
  }
  return { ...request, ...(Object.keys(notify).length > 0 ? { notify } : {}) };
}

/** Only what was asked for is sent: all else is left to the server's defaults. */
function isLeftOut(key: OptionKey, field: Option, options: Options): boolean {
  const isScan = options.task === "scan";
  if (key in SCAN_FIELDS ? !isScan : isScan && !(key in END_FIELDS || key in NOTIFY_FIELDS)) return true;
  if (key === "equityPercent") return options.sizing !== "equity" || options[key].trim() === "100";
  if (key === "fixedCash") return options.sizing !== "cash";
  return field.optional && options[key].trim() === "";
}

const symbolsIn = (typed: string): string[] => typed.toUpperCase().split(/[\s,]+/).filter(Boolean);

/** The options that would ask for the same again. */
export function optionsOf(spec: BacktestSpec, notify: Notify = {}): Options {
  const isScan = typeof spec.within_bars === "number";
  const options = {
    ...EMPTY_OPTIONS, fill: spec.fill ?? EMPTY_OPTIONS.fill, task: isScan ? "scan" : "backtest",
    ...(isScan ? { scanSides: spec.direction ?? EMPTY_OPTIONS.scanSides } : { direction: spec.direction ?? "long" }), order: spec.order ?? "volume", sizing: typeof spec.fixed_cash === "number" ? "cash" : "equity",
  };
  for (const [key, { name, inPercent }] of Object.entries(FIELDS) as [Exclude<OptionKey, ChoiceKey>, Option][]) {
    const value = spec[name as keyof BacktestSpec];
    if (value === undefined || value === null) continue;
    options[key] = typeof value === "number" && inPercent ? String(rounded(value * 100)) : Array.isArray(value) ? value.join(", ") : String(value);
  }
  if (spec.cooldown_bars === 0) options.cooldownBars = "";
  return { ...options, webhook: notify.webhook ?? "", email: notify.email ? "true" : "" };
}

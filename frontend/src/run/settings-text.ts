/** A run's settings in words: for its page, its report, and for comparing it with others. Pure. */

import type { BacktestSpec } from "../api/types";
import * as format from "../format";

type Text = string | null;
type Maybe = number | null | undefined;

const FILLS: Record<string, string> = { next_open: "next bar's open", same_close: "same bar's close" };
const POSITIONS: Record<string, string> = { long: "long only", short: "short only", long_short: "long and short" };

const rate = (value: Maybe): Text => (typeof value === "number" ? format.percent(value, 3) : null);
const share = (value: Maybe): Text => (typeof value === "number" ? `${Number((value * 100).toPrecision(6))}${format.THIN}%` : null);
const bars = (value: Maybe): Text => (value ? `${format.count(value)} ${value === 1 ? "bar" : "bars"}` : null);

function size({ fixed_cash, equity_fraction }: BacktestSpec): string {
  if (typeof fixed_cash === "number") return `${format.money(fixed_cash)} in quote currency`;
  return typeof equity_fraction === "number" && equity_fraction < 1 ? `${share(equity_fraction)} of equity` : "all equity";
}

/** Sizes, costs and stops that are in force; those without effect are null. */
function execution(spec: BacktestSpec): [string, Text][] {
  return [
    ["Initial cash", format.money(spec.initial_cash)],
    ["Positions", POSITIONS[spec.direction ?? "long"] ?? spec.direction ?? null],
    ["Each entry spends", size(spec)],
    ["Fee", rate(spec.fee_rate)],
    ["Fixed fee", spec.fixed_fee ? format.money(spec.fixed_fee) : null],
    ["Slippage", rate(spec.slippage_rate)],
    ["Fill", FILLS[spec.fill] ?? spec.fill],
    ["Stop loss", share(spec.stop_loss)],
    ["Take profit", share(spec.take_profit)],
    ["Trailing stop", share(spec.trailing_stop)],
    ["Longest holding", bars(spec.max_holding_bars)],
    ["Pause after a stop", bars(spec.cooldown_bars)],
  ];
}

const parameters = (spec: BacktestSpec): [string, Text][] =>
  Object.entries(spec.parameters).map(([name, value]) => [format.sentence(name), value === null ? null : String(value)]);

function ending(spec: BacktestSpec): [string, Text][] {
  return [
    ["A hit is", spec.hit || null],
    ["End after hits", spec.max_hits ? format.count(spec.max_hits) : null],
    ["End after failures", spec.max_failures ? format.count(spec.max_failures) : null],
    ["End after", spec.timeout_seconds ? format.duration(spec.timeout_seconds) : null],
    ["Order", spec.order === "promise" ? "hits of earlier runs first" : null],
    ["Done first", spec.priority_symbols?.length ? spec.priority_symbols.join(", ") : null],
  ];
}

/** What decides the results, by title; what has no effect is null. */
export function settingsOf(spec: BacktestSpec): Map<string, Text> {
  return new Map([
    ["Symbols", Array.isArray(spec.symbols) ? `${format.count(spec.symbols.length)} chosen` : "all"],
    ["Source", spec.source], ["Interval", spec.interval], ["Start", format.utcDay(spec.start)], ["End", format.utcDay(spec.end)],
    ...execution(spec), ...parameters(spec),
  ]);
}

const inForce = (rows: Iterable<[string, Text]>): [string, string][] => [...rows].filter((row): row is [string, string] => row[1] !== null);

/** Everything that was asked for. */
export const allSettings = (spec: BacktestSpec): [string, string][] => inForce([...settingsOf(spec), ...ending(spec)]);

/** How orders were sized, filled and closed, and when the run was to end. */
export const executionSettings = (spec: BacktestSpec): [string, string][] => inForce([...execution(spec), ...ending(spec)]);

/** What trades differently from the defaults, in a few words: "long and short · stop loss 5 %". */
export function executionText(spec: BacktestSpec): string {
  const usual = new Set(["Initial cash", "Fee", "Slippage", "Fill"]);
  return inForce(execution(spec))
    .filter(([title, text]) => !usual.has(title) && text !== "long only" && text !== "all equity")
    .map(([title, text]) => (title === "Positions" ? text : title === "Each entry spends" ? `${text} an entry` : `${title.toLowerCase()} ${text}`))
    .join(" · ");
}

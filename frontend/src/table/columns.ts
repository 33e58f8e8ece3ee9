/** The columns a table of results can have: how each is called, defined, sorted and written. Pure. */

import * as format from "../format";
import type { Row } from "../run/state";

export interface Column {
  id: string;
  title: string;
  /** Stands in the header, so that cells hold numbers only. */
  unit: string;
  definition: string;
  isDefault: boolean;
  /** Kept on a phone. */
  isNarrow: boolean;
  /** Coloured by its sign. */
  hasTone: boolean;
  value(row: Row): number | null;
  text(row: Row): string;
}

type Writer = (value: number | null) => string;

interface MetricOptions {
  unit?: string;
  more?: boolean;
  narrow?: boolean;
  tone?: boolean;
}

function metric(id: string, title: string, write: Writer, definition: string, options: MetricOptions = {}): Column {
  const value = (row: Row) => row.metrics[id] ?? null;
  return {
    id, title, definition, value,
    unit: options.unit ?? "",
    isDefault: !options.more,
    isNarrow: options.narrow ?? false,
    hasTone: options.tone ?? false,
    text: (row) => write(value(row)),
  };
}

const points: Writer = (value) => format.percentPoints(value);
const signedPoints: Writer = (value) => format.signedPercentPoints(value);
const ratio: Writer = (value) => format.number(value, 2);

export const COLUMNS: readonly Column[] = [
  metric("total_return", "Return", signedPoints, "Equity at the end / initial cash − 1.", { unit: "%", narrow: true, tone: true }),
  metric("buy_hold_return", "B&H", signedPoints, "Buy and hold: last close / first open of the range − 1.", { unit: "%", tone: true }),
  metric("cagr", "CAGR", signedPoints, "Yearly growth: (equity at the end / initial cash)^(365.25 days / elapsed) − 1.", { unit: "%", more: true, tone: true }),
  metric("sharpe", "Sharpe", ratio, "Mean of daily returns / their standard deviation · √365.", { narrow: true }),
  metric("sortino", "Sortino", ratio, "Mean of daily returns · √365 / downside deviation.", { more: true }),
  metric("calmar", "Calmar", ratio, "CAGR / maximum drawdown.", { more: true }),
  metric("max_drawdown", "Max DD", points, "Maximum drawdown: largest fraction below the running peak of equity.", { unit: "%" }),
  metric("volatility", "Volatility", points, "Standard deviation of daily returns · √365.", { unit: "%", more: true }),
  metric("win_rate", "Win rate", points, "Closed trades with a profit / closed trades.", { unit: "%", more: true }),
  metric("profit_factor", "Profit factor", ratio, "Sum of profits / sum of losses.", { more: true }),
  metric("trade_count", "Trades", (value) => format.count(value), "Closed trades."),
  metric("exposure", "Exposure", points, "Bars with a position at their close / all bars.", { unit: "%", more: true }),
  {
    id: "elapsed_ms", title: "Time", unit: "ms", definition: "How long the backtest took on its worker; nothing for a reused result.",
    isDefault: false, isNarrow: false, hasTone: false,
    value: (row) => (row.cached ? null : row.elapsedMs),
    text: (row) => format.number(row.cached ? null : row.elapsedMs, 1),
  },
];

export const columnById = (id: string): Column | undefined => COLUMNS.find((column) => column.id === id);

export interface Ordering {
  /** A column's id, or "symbol". */
  by: string;
  descending: boolean;
}

/** What is undefined stands last in both directions; equal values stand by symbol. */
export function sorted(rows: Iterable<Row>, ordering: Ordering): Row[] {
  const sign = ordering.descending ? -1 : 1;
  const bySymbol = (a: Row, b: Row) => (a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : 0);
  const column = columnById(ordering.by);
  if (!column) return [...rows].sort((a, b) => sign * bySymbol(a, b));
  return [...rows].sort((a, b) => {
    const [left, right] = [column.value(a), column.value(b)];
    if (left === right) return bySymbol(a, b);
    if (left === null) return 1;
    if (right === null) return -1;
    return sign * (left - right);
  });
}

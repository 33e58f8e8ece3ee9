/** Curves that follow from equity, trades and candles. Pure. */

/** Fractional loss from the running peak; the peak starts at the initial cash. */
export function drawdowns(equity: readonly number[], initialCash: number): number[] {
  let peak = initialCash;
  return equity.map((value) => {
    peak = Math.max(peak, value);
    return peak > 0 ? 1 - value / peak : 0;
  });
}

/** What buying at the first open would be worth at each time; null before the first candle. */
export function buyAndHold(times: readonly number[], candleTimes: readonly number[], opens: readonly number[], closes: readonly number[], initialCash: number): (number | null)[] {
  const first = opens[0];
  if (first === undefined) return times.map(() => null);
  let bar = -1;
  return times.map((time) => {
    while (bar + 1 < candleTimes.length && candleTimes[bar + 1]! <= time) bar += 1;
    return bar < 0 ? null : (initialCash * closes[bar]!) / first;
  });
}

export interface MonthlyReturns {
  year: number;
  /** January to December; null where there is no data, or nothing left to grow. */
  months: (number | null)[];
  total: number | null;
}

/** A table of years from returns by month ("2021-04"), oldest first. */
export function monthTable(returns: Readonly<Record<string, number | null>>): MonthlyReturns[] {
  const years = new Map<number, MonthlyReturns>();
  for (const [month, value] of Object.entries(returns)) {
    const [year, number] = month.split("-").map(Number) as [number, number];
    const row = years.get(year) ?? { year, months: Array.from({ length: 12 }, () => null), total: null };
    years.set(year, row);
    row.months[number - 1] = value;
    if (value !== null) row.total = (1 + (row.total ?? 0)) * (1 + value) - 1;
  }
  return [...years.values()];
}

/** Returns of calendar months in UTC, from the last value of one month to the last of the next. */
export function monthlyReturns(times: readonly number[], equity: readonly number[], initialCash: number): Record<string, number | null> {
  const returns: Record<string, number | null> = {};
  const monthOf = (time: number) => new Date(time).toISOString().slice(0, 7);
  let before = initialCash;
  times.forEach((time, index) => {
    const next = times[index + 1];
    if (next !== undefined && monthOf(next) === monthOf(time)) return;
    const value = equity[index]!;
    returns[monthOf(time)] = before > 0 ? value / before - 1 : null;
    before = value;
  });
  return returns;
}

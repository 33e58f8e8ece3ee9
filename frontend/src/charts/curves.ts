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
  /** January to December; null where there is no data. */
  months: (number | null)[];
  total: number;
}

/** Returns of calendar months in UTC, from the last value of one month to the last of the next. */
export function monthlyReturns(times: readonly number[], equity: readonly number[], initialCash: number): MonthlyReturns[] {
  const years = new Map<number, MonthlyReturns>();
  let before = initialCash;
  let yearStart = initialCash;
  times.forEach((time, index) => {
    const date = new Date(time);
    const next = index + 1 < times.length ? new Date(times[index + 1]!) : null;
    if (next && next.getUTCMonth() === date.getUTCMonth() && next.getUTCFullYear() === date.getUTCFullYear()) return;
    const year = date.getUTCFullYear();
    let row = years.get(year);
    if (!row) {
      yearStart = before;
      row = { year, months: Array.from({ length: 12 }, () => null), total: 0 };
      years.set(year, row);
    }
    const value = equity[index]!;
    row.months[date.getUTCMonth()] = before > 0 ? value / before - 1 : null;
    row.total = yearStart > 0 ? value / yearStart - 1 : 0;
    before = value;
  });
  return [...years.values()];
}

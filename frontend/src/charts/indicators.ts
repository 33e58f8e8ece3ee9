/** Indicators for drawing, by the engine's definitions. All give NaN where no value exists yet. Pure. */

export type Values = ArrayLike<number>;

const blank = (length: number): Float64Array => new Float64Array(length).fill(NaN);

export function simpleAverage(values: Values, period: number): Float64Array {
  const averages = blank(values.length);
  let sum = 0;
  for (let bar = 0; bar < values.length; bar += 1) {
    sum += values[bar]! - (bar >= period ? values[bar - period]! : 0);
    if (bar >= period - 1) averages[bar] = sum / period;
  }
  return averages;
}

/** Starts at bar `start` from the simple average of the `period` values up to it. */
export function exponentialAverage(values: Values, period: number, start = period - 1): Float64Array {
  const averages = blank(values.length);
  if (values.length <= start) return averages;
  let average = 0;
  for (let bar = start - period + 1; bar <= start; bar += 1) average += values[bar]! / period;
  averages[start] = average;
  const share = 2 / (period + 1);
  for (let bar = start + 1; bar < values.length; bar += 1) {
    average += (values[bar]! - average) * share;
    averages[bar] = average;
  }
  return averages;
}

/** Relative strength index with Wilder's smoothing, 0 where nothing moved. */
export function relativeStrength(closes: Values, period: number): Float64Array {
  const strengths = blank(closes.length);
  let [gains, losses] = [0, 0];
  for (let bar = 1; bar < closes.length; bar += 1) {
    const change = closes[bar]! - closes[bar - 1]!;
    const [gain, loss] = [Math.max(change, 0), Math.max(-change, 0)];
    if (bar <= period) {
      gains += gain / period;
      losses += loss / period;
    } else {
      gains += (gain - gains) / period;
      losses += (loss - losses) / period;
    }
    if (bar >= period) strengths[bar] = gains + losses === 0 ? 0 : (100 * gains) / (gains + losses);
  }
  return strengths;
}

/** Relative strength index with simple averages (Cutler); NaN where nothing moved. */
export function simpleStrength(closes: Values, period: number): Float64Array {
  const change = Float64Array.from({ length: closes.length }, (_, bar) => (bar === 0 ? 0 : closes[bar]! - closes[bar - 1]!));
  const gains = simpleAverage(change.map((one) => Math.max(one, 0)), period);
  const losses = simpleAverage(change.map((one) => Math.max(-one, 0)), period);
  return change.map((_, bar) => (bar < period ? NaN : (100 * gains[bar]!) / (gains[bar]! + losses[bar]!)));
}

export function macd(closes: Values, fast: number, slow: number, signal: number): { line: Float64Array; signal: Float64Array } {
  const quick = exponentialAverage(closes, fast, slow - 1);
  const line = exponentialAverage(closes, slow).map((value, bar) => quick[bar]! - value);
  return { line, signal: exponentialAverage(line, signal, slow + signal - 2) };
}

/** Mean and population standard deviation of the last `period` values. */
export function meanAndDeviation(values: Values, period: number): { mean: Float64Array; deviation: Float64Array } {
  const mean = simpleAverage(values, period);
  const deviation = blank(values.length);
  for (let bar = period - 1; bar < values.length; bar += 1) {
    let squares = 0;
    for (let back = 0; back < period; back += 1) squares += (values[bar - back]! - mean[bar]!) ** 2;
    deviation[bar] = Math.sqrt(squares / period);
  }
  return { mean, deviation };
}

/** Average true range by Wilder. */
export function averageTrueRange(highs: Values, lows: Values, closes: Values, period: number): Float64Array {
  const ranges = blank(closes.length);
  let average = 0;
  for (let bar = 1; bar < closes.length; bar += 1) {
    const range = Math.max(highs[bar]!, closes[bar - 1]!) - Math.min(lows[bar]!, closes[bar - 1]!);
    average += bar <= period ? range / period : (range - average) / period;
    if (bar >= period) ranges[bar] = average;
  }
  return ranges;
}

/** Change over `period` bars, in percent. */
export function rateOfChange(values: Values, period: number): Float64Array {
  return Float64Array.from({ length: values.length }, (_, bar) => (bar < period ? NaN : 100 * (values[bar]! / values[bar - period]! - 1)));
}

/** Highest (or lowest) of the `period` values before each bar, the bar itself not included. */
export function extremeBefore(values: Values, period: number, better: (a: number, b: number) => number): Float64Array {
  const extremes = blank(values.length);
  for (let bar = period; bar < values.length; bar += 1) {
    let extreme = values[bar - 1]!;
    for (let back = 2; back <= period; back += 1) extreme = better(extreme, values[bar - back]!);
    extremes[bar] = extreme;
  }
  return extremes;
}

/** The lines a strategy decides by, computed from the candles for drawing. Same definitions as the engine's. Pure. */

export interface Overlay {
  title: string;
  /** 0 lies over the candles, 1 below them. */
  pane: number;
  /** One per candle; NaN where not yet defined. */
  values: Float64Array;
  levels: number[];
}

export function simpleAverage(values: readonly number[], period: number): Float64Array {
  const averages = new Float64Array(values.length).fill(NaN);
  let sum = 0;
  values.forEach((value, index) => {
    sum += value - (index >= period ? values[index - period]! : 0);
    if (index >= period - 1) averages[index] = sum / period;
  });
  return averages;
}

/** Relative strength index with Wilder's smoothing; first valid at index `period`. */
export function relativeStrength(closes: readonly number[], period: number): Float64Array {
  const strengths = new Float64Array(closes.length).fill(NaN);
  let [gains, losses] = [0, 0];
  for (let index = 1; index < closes.length; index += 1) {
    const change = closes[index]! - closes[index - 1]!;
    const [gain, loss] = [Math.max(change, 0), Math.max(-change, 0)];
    if (index <= period) {
      gains += gain / period;
      losses += loss / period;
    } else {
      gains = (gains * (period - 1) + gain) / period;
      losses = (losses * (period - 1) + loss) / period;
    }
    if (index >= period) strengths[index] = gains + losses === 0 ? 50 : (100 * gains) / (gains + losses);
  }
  return strengths;
}

type Maker = (closes: readonly number[], parameter: (name: string) => number) => Overlay[];

const MAKERS: Record<string, Maker> = {
  rsi: (closes, parameter) => [
    { title: "RSI", pane: 1, values: relativeStrength(closes, parameter("period")), levels: [parameter("oversold"), parameter("overbought")] },
  ],
  sma_cross: (closes, parameter) => [
    { title: "Fast", pane: 0, values: simpleAverage(closes, parameter("fast")), levels: [] },
    { title: "Slow", pane: 0, values: simpleAverage(closes, parameter("slow")), levels: [] },
  ],
};

/** The overlays of a strategy that the page knows; none of one it does not. */
export function overlaysOf(strategy: string, parameters: Record<string, unknown>, closes: readonly number[]): Overlay[] {
  return MAKERS[strategy]?.(closes, (name) => Number(parameters[name])) ?? [];
}

/** The lines that a strategy decides by, for drawing over or below its candles. Pure. */

import type { CandleArrays } from "../api/client";
import {
  averageTrueRange, exponentialAverage, extremeBefore, macd, meanAndDeviation, rateOfChange, relativeStrength, simpleAverage, simpleStrength,
} from "./indicators";

export interface Overlay {
  title: string;
  /** 0 lies over the candles, 1 below them. */
  pane: 0 | 1;
  /** One per candle; NaN where there is none. */
  values: Float64Array;
  /** Values that the strategy compares with. */
  levels: number[];
}

type Parameters = Record<string, unknown>;
type Prices = Pick<CandleArrays, "open" | "high" | "low" | "close">;
type Maker = (candles: Prices, parameters: Parameters) => Overlay[];

const over = (title: string, values: Float64Array): Overlay => ({ title, pane: 0, values, levels: [] });
const below = (title: string, values: Float64Array, levels: number[] = []): Overlay => ({ title, pane: 1, values, levels });
const number = (parameters: Parameters, name: string): number => Number(parameters[name]);

function channel(middle: Float64Array, width: Float64Array, times: number): Overlay[] {
  return [
    over("Upper", middle.map((value, bar) => value + times * width[bar]!)),
    over("Middle", middle),
    over("Lower", middle.map((value, bar) => value - times * width[bar]!)),
  ];
}

const bands: Maker = ({ close }, parameters) => {
  const { mean, deviation } = meanAndDeviation(close, number(parameters, "period"));
  return channel(mean, deviation, number(parameters, "width"));
};

const MAKERS: Record<string, Maker> = {
  rsi: ({ close }, parameters) => {
    const strength = parameters["smoothing"] === "simple" ? simpleStrength : relativeStrength;
    return [below("RSI", strength(close, number(parameters, "period")), [number(parameters, "oversold"), number(parameters, "overbought")])];
  },
  sma_cross: ({ close }, parameters) => [
    over("Fast", simpleAverage(close, number(parameters, "fast"))), over("Slow", simpleAverage(close, number(parameters, "slow"))),
  ],
  ema_cross: ({ close }, parameters) => [
    over("Fast", exponentialAverage(close, number(parameters, "fast"))), over("Slow", exponentialAverage(close, number(parameters, "slow"))),
  ],
  macd: ({ close }, parameters) => {
    const lines = macd(close, number(parameters, "fast"), number(parameters, "slow"), number(parameters, "signal"));
    return [below("MACD", lines.line, [0]), below("Signal", lines.signal)];
  },
  bollinger_reversion: bands,
  bollinger_breakout: bands,
  momentum: ({ close }, parameters) => {
    const threshold = number(parameters, "threshold");
    return [below("Change, %", rateOfChange(close, number(parameters, "period")), [-threshold, threshold])];
  },
  zscore: ({ close }, parameters) => {
    const { mean, deviation } = meanAndDeviation(close, number(parameters, "period"));
    const [entry, leave] = [number(parameters, "entry"), number(parameters, "leave")];
    return [below("Z-score", mean.map((value, bar) => (close[bar]! - value) / deviation[bar]!), [-entry, -leave])];
  },
  donchian: ({ high, low }, parameters) => [
    over("Entry", extremeBefore(high, number(parameters, "entry"), Math.max)), over("Exit", extremeBefore(low, number(parameters, "leave"), Math.min)),
  ],
  atr_channel: ({ high, low, close }, parameters) =>
    channel(exponentialAverage(close, number(parameters, "average")), averageTrueRange(high, low, close, number(parameters, "period")), number(parameters, "width")),
};

const joined = (before: Prices, after: Prices): Prices => ({
  open: [...before.open, ...after.open], high: [...before.high, ...after.high],
  low: [...before.low, ...after.low], close: [...before.close, ...after.close],
});

/**
 * The overlays of a strategy that the page knows; none of one it does not.
 *
 * They are worked out from the candles that the strategy saw before the range, too, so that they begin where it begins.
 */
export function overlaysOf(strategy: string, parameters: Parameters, candles: Prices, warmUp: Prices): Overlay[] {
  const overlays = MAKERS[strategy]?.(joined(warmUp, candles), parameters) ?? [];
  return overlays.map((overlay) => ({ ...overlay, values: overlay.values.subarray(warmUp.close.length) }));
}

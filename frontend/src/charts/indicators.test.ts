import { expect, test } from "vitest";

import reference from "../../../tests/fixtures/indicators.json";
import * as indicators from "./indicators";

const { high, low, close } = reference.candles;
const bands = indicators.meanAndDeviation(close, 6);
const macd = indicators.macd(close, 5, 9, 4);

// The reference was computed by the engine; a test of the engine's side holds it there.
test.each<[keyof typeof reference.values, Float64Array]>([
  ["sma", indicators.simpleAverage(close, 6)],
  ["ema", indicators.exponentialAverage(close, 6)],
  ["rsi", indicators.relativeStrength(close, 6)],
  ["simple_rsi", indicators.simpleStrength(close, 6)],
  ["macd", macd.line],
  ["macd_signal", macd.signal],
  ["mean", bands.mean],
  ["deviation", bands.deviation],
  ["atr", indicators.averageTrueRange(high, low, close, 6)],
  ["roc", indicators.rateOfChange(close, 6)],
  ["highest", indicators.extremeBefore(high, 6, Math.max)],
  ["lowest", indicators.extremeBefore(low, 6, Math.min)],
])("%s agrees with the engine", (name, values) => {
  const expected = reference.values[name];
  expect([...values].map((value) => Number.isNaN(value))).toEqual(expected.map((value) => value === null));
  expected.forEach((value, bar) => {
    if (value !== null) expect(values[bar]).toBeCloseTo(value, 9);
  });
});

import { expect, test } from "vitest";

import { overlaysOf } from "./overlays";

const flat = (closes: number[]) => ({ open: closes, high: closes, low: closes, close: closes });

test("an overlay begins with the range where there are candles before it", () => {
  const parameters = { fast: 2, slow: 4 };
  const [fast, slow] = overlaysOf("sma_cross", parameters, flat([5, 6, 7]), flat([1, 2, 3, 4]));
  expect([...fast!.values]).toEqual([4.5, 5.5, 6.5]);
  expect([...slow!.values]).toEqual([3.5, 4.5, 5.5]);
});

test("without them it begins where its first value exists", () => {
  const [, slow] = overlaysOf("sma_cross", { fast: 2, slow: 3 }, flat([1, 2, 3, 4]), flat([]));
  expect([...slow!.values]).toEqual([NaN, NaN, 2, 3]);
});

test("a channel has three lines over the candles", () => {
  const channel = overlaysOf("bollinger_breakout", { period: 2, width: 2 }, flat([1, 2]), flat([]));
  expect(channel.map(({ title, pane }) => [title, pane])).toEqual([["Upper", 0], ["Middle", 0], ["Lower", 0]]);
});

test("a strategy that the page does not know has none", () => {
  expect(overlaysOf("mine", {}, flat([1]), flat([]))).toEqual([]);
});

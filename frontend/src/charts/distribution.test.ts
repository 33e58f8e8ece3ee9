import { expect, test } from "vitest";

import { extent, histogram, quantile } from "./distribution";

test("every value is in one bin, and none mixes gains and losses", () => {
  const values = [-0.95, -0.4, -0.0001, 0, 0.0001, 0.3, 0.31, 1.2];
  const bins = histogram(values);
  expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(values.length);
  expect(bins.every(({ from, to }) => to <= 1e-9 || from >= -1e-9)).toBe(true);
  expect(bins.length).toBeLessThanOrEqual(25);
});

test("one extreme goes into an open last bin instead of squeezing the others", () => {
  const values = [...Array.from({ length: 99 }, (_, index) => index / 100), 171];
  const bins = histogram(values);
  expect(bins.at(-1)!.to).toBe(Infinity);
  expect(bins.at(-1)!.from).toBeLessThan(3);
  expect(extent(values)[1]).toBeLessThan(3);
});

test("few and equal values still have bins", () => {
  expect(histogram([])).toEqual([]);
  expect(histogram([0]).reduce((sum, { count }) => sum + count, 0)).toBe(1);
  expect(histogram([0.2, 0.2]).reduce((sum, { count }) => sum + count, 0)).toBe(2);
  expect(quantile([1, 2, 3], 0.5)).toBe(2);
});

import { expect, test } from "vitest";

import { overlaysOf, relativeStrength, simpleAverage } from "./indicators";

test("a simple average starts with its first full window", () => {
  expect([...simpleAverage([1, 2, 3, 4], 2)]).toEqual([NaN, 1.5, 2.5, 3.5]);
});

test("the relative strength index follows Wilder", () => {
  // Gains 1, 1 and losses 0, 1 in the first window of 3 changes; then Wilder's smoothing.
  const values = relativeStrength([10, 11, 10, 11, 13], 3);
  expect([...values.slice(0, 3)]).toEqual([NaN, NaN, NaN]);
  expect(values[3]).toBeCloseTo((100 * (2 / 3)) / (2 / 3 + 1 / 3), 12);
  const [gains, losses] = [((2 / 3) * 2 + 2) / 3, ((1 / 3) * 2) / 3];
  expect(values[4]).toBeCloseTo((100 * gains) / (gains + losses), 12);
});

test("strategies that the page does not know have no overlays", () => {
  expect(overlaysOf("my_own", {}, [1, 2])).toEqual([]);
  expect(overlaysOf("sma_cross", { fast: 1, slow: 2 }, [1, 2]).map(({ title }) => title)).toEqual(["Fast", "Slow"]);
});

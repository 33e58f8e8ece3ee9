import { expect, test } from "vitest";

import { aligned } from "./series";

test("one symbol keeps its prices", () => {
  expect(aligned([{ symbol: "A", points: [[1000, 5], [2000, 6]] }])).toEqual({ times: [1, 2], values: [[5, 6]] });
});

test("several begin together at zero, each at its own times", () => {
  const { times, values } = aligned([
    { symbol: "A", points: [[1000, 5], [2000, 10], [4000, 11]] },
    { symbol: "B", points: [[2000, 100], [3000, 90]] },
  ]);
  expect(times).toEqual([2, 3, 4]);
  expect(values.map((line) => line.map((value) => value && Math.round(value)))).toEqual([[0, null, 10], [0, -10, null]]);
});

test("a symbol without points disturbs nobody", () => {
  expect(aligned([{ symbol: "A", points: [[1000, 5]] }, { symbol: "B", points: [] }])).toEqual({ times: [1], values: [[0], [null]] });
  expect(aligned([])).toEqual({ times: [], values: [] });
});

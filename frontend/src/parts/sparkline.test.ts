import { expect, test } from "vitest";

import { sparkPath } from "./sparkline";

test("a line runs from its lowest to its highest value, and begins at its first", () => {
  expect(sparkPath([1, 3, 2], 100, 24)).toEqual({ path: "M0.0 22.0L50.0 2.0L100.0 12.0", start: 22 });
});

test("a line without a change lies in the middle, on its own beginning", () => {
  expect(sparkPath([5, 5], 100, 24)).toEqual({ path: "M0.0 12.0L100.0 12.0", start: 12 });
});

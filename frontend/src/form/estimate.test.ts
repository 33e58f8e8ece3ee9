import { expect, test } from "vitest";

import type { Run } from "../api/types";
import { estimated } from "./estimate";

const run = (computed: number, seconds: number, interval = "1h", kind = "backtest") =>
  ({ kind, spec: { interval }, summary: { computed_count: computed }, progress: { elapsed_seconds: seconds } }) as unknown as Run;

test("the median rate of the latest runs counts, and says of how many", () => {
  expect(estimated(300, "1h", [run(100, 1), run(10, 1), run(150, 1)])).toEqual({ seconds: 3, perSecond: 100, runCount: 3 });
});

test("runs over the same interval are preferred", () => {
  const runs = [run(10, 1, "1m"), run(100, 1)];
  expect(estimated(100, "1h", runs)).toEqual({ seconds: 1, perSecond: 100, runCount: 1 });
  expect(estimated(100, "1d", runs)?.runCount).toBe(2);
});

test("reused results, small runs and other kinds measure nothing", () => {
  expect(estimated(100, "1h", [])).toBeNull();
  expect(estimated(100, "1h", [run(0, 1), run(4, 1), run(100, 1, "1h", "download"), { ...run(9, 9), summary: null }])).toBeNull();
});

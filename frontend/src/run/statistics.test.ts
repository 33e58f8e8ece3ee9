import { expect, test } from "vitest";

import fixture from "../../../tests/fixtures/run_events.json";
import type { Result, Run } from "../api/types";
import { fromSnapshot } from "./state";
import { median, statistics } from "./statistics";

test("live figures agree with the summary of the server", () => {
  const state = fromSnapshot(fixture.run_at_end as unknown as Run, fixture.results_at_end.results as unknown as Result[]);
  const live = statistics(state.rows.values());
  const summary = state.summary!;
  expect(live.median).toBeCloseTo(summary.median_return!, 9);
  expect(live.mean).toBeCloseTo(summary.mean_return!, 9);
  expect(live.medianBuyHold).toBeCloseTo(summary.median_buy_hold_return!, 9);
  expect([live.count, live.positive, live.cached]).toEqual([6, summary.positive_count, summary.cached_count]);
  expect([live.best?.symbol, live.worst?.symbol]).toEqual([summary.best!.symbol, summary.worst!.symbol]);
});

test("the median of an even count lies between the middle two", () => {
  expect([median([]), median([3]), median([1, 2]), median([1, 2, 9]), median([1, 2, 4, 9])]).toEqual([null, 3, 1.5, 2, 3]);
});

test("rows without a return count nowhere", () => {
  const live = statistics([]);
  expect([live.count, live.median, live.mean, live.best]).toEqual([0, null, null, null]);
});

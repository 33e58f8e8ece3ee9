import { expect, test } from "vitest";

import fixture from "../../tests/fixtures/run_events.json";
import type { Result, Run, RunEvent } from "./api/types";
import { reportHtml } from "./report";
import { fromSnapshot } from "./run/state";

const run = fixture.run_at_end as unknown as Run;
const results = fixture.results_at_end.results as unknown as Result[];
const events = fixture.events as unknown as RunEvent[];

test("a report holds every result and failure, and loads nothing", () => {
  const state = fromSnapshot(run, results, events);
  const html = reportHtml(state, "RSI reversal", [...state.rows.values()]);
  for (const { symbol } of results) expect(html).toContain(symbol);
  expect(html).toContain("USDCUSDT: No candles");
  expect(html).not.toMatch(/<script|https?:|src=|@import|url\(/);
});

test("names that are markup stay text", () => {
  const evil = [{ ...results[0]!, symbol: '<img src=x onerror="alert(1)">' }];
  const state = fromSnapshot(run, evil);
  const html = reportHtml(state, "<b>bold</b>", [...state.rows.values()]);
  expect(html).not.toContain("<img");
  expect(html).not.toContain("<b>");
  expect(html).toContain("&lt;img");
});

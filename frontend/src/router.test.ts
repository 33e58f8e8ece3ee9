import { expect, test } from "vitest";

import { resultPath, routeOf } from "./router";

const RUN_ID = "0192f0aa-5a6e-7c1e-9f1b-3f4b8d2a7c10";

test.each([
  ["/", { page: "new" }],
  ["/scans/", { page: "scans" }], ["/runs/", { page: "runs" }],
  [`/runs/${RUN_ID}/`, { page: "run", runId: RUN_ID, symbol: null }],
  [`/runs/${RUN_ID}/BTCUSDT/`, { page: "run", runId: RUN_ID, symbol: "BTCUSDT" }],
  ["/prices/", { page: "prices" }],
  ["/runs/7/", { page: "unknown" }],
  ["/admin/", { page: "unknown" }],
])("%s is found", (path, route) => {
  expect(routeOf(path)).toEqual(route);
});

test("any symbol survives the way into an address and back", () => {
  for (const symbol of ["BTCUSDT", "1000SATS/USD", "<b>&?#", "币安人生"]) {
    expect(routeOf(resultPath(RUN_ID, symbol))).toEqual({ page: "run", runId: RUN_ID, symbol });
  }
});

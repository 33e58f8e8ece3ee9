import { expect, test } from "vitest";

import fixture from "../../../tests/fixtures/run_events.json";
import type { Result, Run } from "../api/types";
import { bySymbol, differences } from "./comparison";

const run = fixture.run_at_end as unknown as Run;
const results = fixture.results_at_end.results as unknown as Result[];

test("only what differs is listed, parameters included", () => {
  const other = { ...run, spec: { ...run.spec, fee_rate: 0, parameters: { ...run.spec.parameters, period: 21 } } };
  expect(differences([run, run], ["RSI reversal", "RSI reversal"])).toEqual([]);
  expect(differences([run, other], ["RSI reversal", "MACD cross"]).map(({ title, values }) => [title, ...values.map((one) => one.replace("\u2009", " "))])).toEqual([
    ["Strategy", "RSI reversal", "MACD cross"],
    ["Fee", "0.100 %", "0.000 %"],
    ["Period", "14", "21"],
  ]);
});

test("symbols stand by how much the runs disagree, and may be missing in one", () => {
  const better = results.slice(0, 2).map((result) => ({ ...result, metrics: { ...result.metrics, total_return: result.metrics["total_return"]! + 0.5 } }));
  const rows = bySymbol([{ run, results }, { run, results: better }]);
  expect(rows).toHaveLength(results.length);
  expect(rows.slice(0, 2).map(({ spread }) => spread)).toEqual([expect.closeTo(0.5), expect.closeTo(0.5)]);
  expect(rows.at(-1)!.returns[1]).toBeNull();
});

import { expect, test } from "vitest";

import fixture from "../../../tests/fixtures/run_events.json";
import type { BacktestSpec } from "../api/types";
import { allSettings, executionText, settingsOf } from "./settings-text";

const spec = fixture.run_at_end.spec as unknown as BacktestSpec;
const plain = (text: string | null | undefined) => text?.replaceAll("\u2009", " ");

test("defaults need no words", () => {
  expect(executionText(spec)).toBe("");
});

test("an older run, which names no sides, sizes or stops, traded all equity long", () => {
  const { direction: _direction, equity_fraction: _fraction, fixed_cash: _cash, fixed_fee: _fee, stop_loss: _stop, ...old } = spec;
  const settings = settingsOf(old);
  expect([settings.get("Positions"), settings.get("Each entry spends"), settings.get("Fixed fee")]).toEqual(["long only", "all equity", null]);
});

test("what was asked for is said with its unit", () => {
  const asked: BacktestSpec = {
    ...spec, direction: "long_short", equity_fraction: 0.5, fixed_fee: 2, stop_loss: 0.025, trailing_stop: 0.1, max_holding_bars: 1, cooldown_bars: 48,
  };
  expect(plain(executionText(asked))).toBe(
    "long and short · 50 % of equity an entry · fixed fee 2.00 · stop loss 2.5 % · trailing stop 10 % · longest holding 1 bar · pause after a stop 48 bars",
  );
  const cash: BacktestSpec = { ...spec, fixed_cash: 500, hit: "sharpe > 1", max_hits: 3 };
  const rows = new Map(allSettings(cash));
  expect([rows.get("Each entry spends"), rows.get("A hit is"), rows.get("End after hits")]).toEqual(["500.00 in quote currency", "sharpe > 1", "3"]);
  expect(rows.has("Stop loss")).toBe(false);
});

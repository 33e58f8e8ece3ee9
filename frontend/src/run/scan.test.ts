import { expect, test } from "vitest";

import { type Scanned, counted, sayingOf, scannedOf } from "./scan";

const said = (symbol: string, signal: Scanned["signal"], side: Scanned["side"], strength: number | null) =>
  [symbol, { symbol, signal, side, metrics: { strength } }] as const;
const outcomes = new Map([
  said("AAA", "hold", null, 9), said("BBB", "enter", "long", 1), said("CCC", "enter", "short", -8), said("DDD", "enter", "long", -4),
  said("EEE", "exit", null, null), said("FFF", "exit", "long", null),
]);

test("entries stand first, of each kind the strongest, whatever the sign of its strength", () => {
  expect(scannedOf({ outcomes }).map(({ symbol }) => symbol)).toEqual(["DDD", "BBB", "CCC", "EEE", "FFF", "AAA"]);
});

test("what is said is counted; an exit is one whatever side it leaves", () => {
  expect(counted(scannedOf({ outcomes }))).toEqual({ "enter long": 2, "enter short": 1, exit: 2, hold: 1 });
  expect(sayingOf({ signal: "exit", side: "long" })).toBe("exit");
});

import { expect, test } from "vitest";

import * as format from "./format";

/** The expected texts below are typed with ordinary spaces. */
const plain = (text: string) => text.replaceAll(format.THIN, " ");

test.each([
  [0.194, "+19.4 %"], [-0.341, "−34.1 %"], [2.318, "+231.8 %"], [14.2, "+1,420 %"], [0, "0.0 %"], [-0.00001, "0.0 %"], [null, "–"],
])("a return of %s is written %s", (fraction, text) => {
  expect(plain(format.signedPercent(fraction))).toBe(text);
});

test.each([[12345.67, "12,345.67"], [0.00001234, "0.00001234"], [1.2345, "1.2345"], [101.5, "101.50"], [0, "0"], [0.5, "0.50000"]])(
  "a price of %s is written %s",
  (value, text) => {
    expect(format.price(value)).toBe(text);
  },
);

test.each([[0, "0.0 s"], [0.04, "< 0.1 s"], [0.24, "0.2 s"], [12.4, "12 s"], [59.7, "1 min"], [60, "1 min"], [75, "1 min 15 s"], [3600, "1 h"], [7260, "2 h 1 min"], [200000, "2 d 7 h"], [null, "–"]])(
  "%s seconds are written %s",
  (value, text) => {
    expect(plain(format.duration(value))).toBe(text);
  },
);

test("a column of percent points aligns: same digits, a real minus, no unit", () => {
  expect([0.194, -0.052, 0].map((value) => format.signedPercentPoints(value))).toEqual(["+19.4", "−5.2", "0.0"]);
});

test("days and hover times are UTC", () => {
  expect(format.utcDay("2021-04-05T23:59:59Z")).toBe("2021-04-05");
  expect(format.utcSecond("2021-04-05T23:59:59Z")).toBe("2021-04-05 23:59:59 UTC");
});

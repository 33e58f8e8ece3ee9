import { expect, test } from "vitest";

import { buyAndHold, drawdowns, monthTable, monthlyReturns } from "./curves";

test("the first peak is the initial cash", () => {
  expect(drawdowns([80, 120, 90, 0], 100)).toEqual([1 - 0.8, 0, 0.25, 1]);
});

test("buy and hold follows the last close known at each time", () => {
  expect(buyAndHold([5, 10, 15, 30], [10, 20, 30], [100, 0, 0], [110, 90, 150], 1000)).toEqual([null, 1100, 1100, 1500]);
});

test("months go from the last value of one to the last of the next", () => {
  const day = (text: string) => Date.parse(`${text}T00:00:00Z`);
  const times = ["2021-11-15", "2021-11-30", "2021-12-31", "2022-02-10", "2022-02-28"].map(day);
  const months = monthlyReturns(times, [90, 110, 121, 100, 60.5], 100);
  expect(Object.keys(months)).toEqual(["2021-11", "2021-12", "2022-02"]);
  expect(months["2021-11"]).toBeCloseTo(0.1);
  expect(months["2021-12"]).toBeCloseTo(0.1);
  expect(months["2022-02"]).toBeCloseTo(-0.5);
});

test("a year is the product of its months, and a month without candles stays empty", () => {
  const [first, second, third] = monthTable({ "2021-11": 0.1, "2021-12": 0.1, "2022-02": -1, "2022-03": null, "2023-01": null });
  expect([first!.year, first!.months[9], first!.months[10]]).toEqual([2021, null, 0.1]);
  expect(first!.total).toBeCloseTo(0.21);
  expect([second!.months[0], second!.months[1], second!.total]).toEqual([null, -1, -1]);
  expect(third!.total).toBeNull();
});

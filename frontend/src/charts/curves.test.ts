import { expect, test } from "vitest";

import { buyAndHold, drawdowns, monthlyReturns } from "./curves";

test("the first peak is the initial cash", () => {
  expect(drawdowns([80, 120, 90, 0], 100)).toEqual([1 - 0.8, 0, 0.25, 1]);
});

test("buy and hold follows the last close known at each time", () => {
  expect(buyAndHold([5, 10, 15, 30], [10, 20, 30], [100, 0, 0], [110, 90, 150], 1000)).toEqual([null, 1100, 1100, 1500]);
});

test("months chain: their product is the return of the whole", () => {
  const day = (text: string) => Date.parse(`${text}T00:00:00Z`);
  const times = ["2021-11-15", "2021-11-30", "2021-12-31", "2022-01-10", "2022-01-31"].map(day);
  const [first, second] = monthlyReturns(times, [90, 110, 121, 100, 60.5], 100);
  expect(first!.months[10]).toBeCloseTo(0.1);
  expect(first!.months[11]).toBeCloseTo(0.1);
  expect(first!.total).toBeCloseTo(0.21);
  expect([second!.year, second!.months[1]]).toEqual([2022, null]);
  expect(second!.months[0]).toBeCloseTo(-0.5);
  expect((1 + first!.total) * (1 + second!.total)).toBeCloseTo(0.605);
});

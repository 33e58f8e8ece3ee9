import { expect, test } from "vitest";

import { ROW_HEIGHT, rowWindow } from "./window";

test("a short table is drawn whole", () => {
  expect(rowWindow(76, 500, 300)).toEqual({ first: 0, end: 76 });
});

test("of a long one, every row in view is drawn, wherever it stands", () => {
  for (let above = -100; above < 5000 * ROW_HEIGHT; above += 977) {
    const { first, end } = rowWindow(5000, above, 600);
    const inView = [Math.max(0, Math.floor(above / ROW_HEIGHT)), Math.min(5000, Math.ceil((above + 600) / ROW_HEIGHT))];
    expect(first).toBeLessThanOrEqual(inView[0]!);
    expect(end).toBeGreaterThanOrEqual(inView[1]!);
    expect(end - first).toBeLessThan(80);
  }
});

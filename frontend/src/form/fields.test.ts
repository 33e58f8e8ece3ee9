import { expect, test } from "vitest";

import { SLIDER_STEPS, boundsOf, fieldsOf, parse, sliderPosition, sliderValue } from "./fields";

const schema = {
  properties: {
    period: { type: "integer", title: "Period", default: 14, minimum: 2, maximum: 200, unit: "bars" },
    oversold: { type: "number", title: "Oversold", default: 30, exclusiveMinimum: 0, exclusiveMaximum: 100 },
    stop_loss: { anyOf: [{ type: "number", minimum: 0 }, { type: "null" }], title: "Stop loss", default: null },
    average: { $ref: "#/$defs/Average", default: "simple" },
    both_sides: { type: "boolean", title: "Both sides", default: false },
  },
  required: [],
  $defs: { Average: { enum: ["simple", "exponential"], type: "string", title: "Average" } },
};
const [period, oversold, stopLoss, average, bothSides] = fieldsOf(schema);

test("kinds, first values and units come from the schema", () => {
  expect(fieldsOf(schema).map(({ name, kind, initial, optional }) => [name, kind, initial, optional])).toEqual([
    ["period", "integer", "14", false],
    ["oversold", "number", "30", false],
    ["stop_loss", "number", "", true],
    ["average", "choice", "simple", false],
    ["both_sides", "boolean", "false", false],
  ]);
  expect([period!.unit, average!.title, average!.choices]).toEqual(["bars", "Average", ["simple", "exponential"]]);
});

test("what is typed is read by kind and bounds", () => {
  expect(parse(period!, " 21 ")).toEqual({ value: 21 });
  expect(parse(period!, "1")).toEqual({ error: "From 2 to 200." });
  expect(parse(period!, "2.5")).toEqual({ error: "A whole number is needed." });
  expect(parse(period!, "abc")).toEqual({ error: "This is not a number." });
  expect(parse(period!, "")).toEqual({ error: "A value is needed." });
  expect(parse(oversold!, "0")).toEqual({ error: "More than 0, less than 100." });
  expect(parse(stopLoss!, "")).toEqual({ value: null });
  expect(parse(stopLoss!, "0.1")).toEqual({ value: 0.1 });
  expect(parse(average!, "hull")).toEqual({ error: "Choose one of the list." });
  expect(parse(bothSides!, "true")).toEqual({ value: true });
});

test("one-sided bounds read well", () => {
  expect(boundsOf(stopLoss!)).toBe("From 0.");
});

test("a slider reaches both ends, and every value it shows stands where it was read", () => {
  const wide = fieldsOf({ properties: { slow: { type: "integer", minimum: 1, maximum: 5000, default: 20 } } })[0]!;
  for (const field of [period!, wide]) {
    expect([sliderValue(field, 0), sliderValue(field, SLIDER_STEPS)]).toEqual([field.min, field.max]);
    for (const value of [field.min!, 14, 20, field.max!]) {
      expect(Math.abs(sliderValue(field, sliderPosition(field, value)) - value)).toBeLessThanOrEqual(0.01 * value);
    }
  }
  expect(sliderPosition(wide, 70)).toBeGreaterThan(SLIDER_STEPS * 0.45);
  expect(sliderPosition(wide, Number.NaN)).toBe(0);
});

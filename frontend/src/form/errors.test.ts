import { expect, test } from "vitest";

import { placed } from "./errors";

const KNOWN = ["symbols", "fee_rate", "parameters.fast", "parameters.slow"];

test("messages land on the fields they name", () => {
  expect(placed({ fee_rate: ["Too high."], "parameters.slow": ["Not a number."], fast: ["Missing."] }, KNOWN)).toEqual({
    fields: { fee_rate: "Too high.", "parameters.slow": "Not a number.", "parameters.fast": "Missing." },
    rest: [],
  });
});

test("a message about parameters together lands on the first it mentions", () => {
  const errors = { parameters: ["fast (50) must be below slow (20)"] };
  expect(placed(errors, KNOWN).fields).toEqual({ "parameters.fast": "fast (50) must be below slow (20)" });
});

test("what belongs to no field stays to be shown beside the button", () => {
  expect(placed({ max_parallel: ["Too many."], "parameters.other": ["Unknown."] }, KNOWN)).toEqual({
    fields: {},
    rest: ["Too many.", "Unknown."],
  });
});

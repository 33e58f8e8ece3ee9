import { expect, test } from "vitest";

import { timeMarks } from "./time-marks";

const marks = (...times: string[]) => timeMarks(times.map((time) => Date.parse(`${time}Z`) / 1000));

test("marks of a time axis are years, months, days or times, by how close they are", () => {
  expect(marks("2020-01-01", "2021-01-01")).toEqual(["2020", "2021"]);
  expect(marks("2020-09-01", "2021-03-01", "2021-09-01")).toEqual(["Sep\n2020", "Mar\n2021", "Sep"]);
  expect(marks("2023-12-28", "2023-12-30", "2024-01-01")).toEqual(["12-28\n2023", "12-30", "01-01\n2024"]);
  expect(marks("2023-12-30T18:00", "2023-12-31T00:00", "2023-12-31T06:00")).toEqual(["18:00\n12-30", "00:00\n12-31", "06:00"]);
});

test("no mark, and one alone, are written too", () => {
  expect(timeMarks([])).toEqual([]);
  expect(marks("2020-01-01")).toEqual(["2020"]);
});

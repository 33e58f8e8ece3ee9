/** The rows of the table as a file. Fractions stay fractions, so that a program can read them. */

import type { Row } from "../run/state";
import { COLUMNS } from "./columns";

function cell(value: string | number | boolean | null): string {
  if (value === null) return "";
  if (typeof value !== "string") return String(value);
  const harmless = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value; // a spreadsheet would run it as a formula
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

export function toCsv(rows: readonly Row[]): string {
  const header = ["symbol", ...COLUMNS.map(({ id }) => id), "hit", "reused", "generated", "warnings"];
  const lines = rows.map((row) => [
    row.symbol, ...COLUMNS.map((column) => column.value(row)), row.hit, row.cached, row.generated, row.warnings.map(({ message }) => message).join(" "),
  ]);
  return [header, ...lines].map((line) => `${line.map(cell).join(",")}\r\n`).join("");
}

export function toJson(rows: readonly Row[]): string {
  return JSON.stringify(rows.map(({ isNew: _, ...row }) => row), null, 2);
}

export function download(name: string, type: string, content: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

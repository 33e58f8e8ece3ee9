/** Marks that say, where a number stands, what must be known about it. */

import { html, type TemplateResult } from "lit";

import type { RunStatus, Warning } from "../api/types";

export const generatedMark = (): TemplateResult =>
  html`<span class="mark mark-generated" title="These candles were generated, not traded on any exchange.">generated sample</span>`;

export const reusedMark = (): TemplateResult =>
  html`<span class="mark mark-reused" title="This result existed already; it was linked, not computed again.">reused</span>`;

export const hitMark = (): TemplateResult => html`<span class="mark mark-hit" title="This result is a hit, by the run's own rule.">hit</span>`;

/** "jump ×3, halt". */
function codesOf(warnings: readonly Warning[]): string {
  const counts = new Map<string, number>();
  for (const { code } of warnings) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].map(([code, count]) => code.replaceAll("_", " ") + (count > 1 ? ` ×${count}` : "")).join(", ");
}

export const warningMark = (warnings: readonly Warning[]): TemplateResult =>
  html`<span class="mark mark-warning" title=${warnings.map(({ message }) => message).join("\n")}><span aria-hidden="true">▲</span> <span class="mark-text">${
    codesOf(warnings)}</span><span class="visually-hidden">: ${
    warnings.map(({ message }) => message).join(" ")}</span></span>`;

const STATUS_TITLES: Record<RunStatus, string> = {
  running: "Running", paused: "Paused", completed: "Completed", stopped: "Stopped", failed: "Failed",
};
const STATUS_CLASSES: Partial<Record<RunStatus, string>> = {
  running: "mark-generated", paused: "mark-warning", failed: "mark-loss", completed: "mark-gain",
};

export const statusMark = (status: RunStatus): TemplateResult =>
  html`<span class="mark ${STATUS_CLASSES[status] ?? ""}" data-status=${status}>${STATUS_TITLES[status]}</span>`;

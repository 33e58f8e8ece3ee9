/** The table of a run that is no backtest, such as a download: what each job brought. */

import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import * as format from "../format";
import type { Outcome, RunState } from "../run/state";

const HIDDEN = new Set(["symbol", "found", "hit"]);

/** One row per key, one column per field that any job brought. */
export function otherRun(state: RunState): TemplateResult {
  const rows = [...state.outcomes];
  const names = [...new Set(rows.flatMap(([, outcome]) => Object.keys(outcome)))].filter((name) => !HIDDEN.has(name));
  if (rows.length + state.failures.size + state.advances.size === 0) {
    return html`<div class="empty"><h2>Waiting for the first result</h2><p>The run is stored and queued; a worker takes it as soon as one is free.</p></div>`;
  }
  return html`<div class="table-scroll" tabindex="0" role="region" aria-label="Results"><table class="results plain other">
    <thead><tr><th scope="col">Symbol</th>${names.map((name) => html`<th scope="col" class=${isNumber(rows, name) ? "number" : ""}>${format.sentence(name.replace(/_count$/, ""))}</th>`)}</tr></thead>
    <tbody>
      ${repeat(rows, ([key]) => key, ([key, outcome]) => html`<tr data-symbol=${key}><th scope="row">${key}</th>
        ${names.map((name) => html`<td class=${isNumber(rows, name) ? "number" : ""}>${text(outcome[name])}</td>`)}</tr>`)}
      ${repeat(state.advances, ([key]) => key, ([key, { share, step }]) => html`<tr data-symbol=${key}><th scope="row">${key}</th>
        <td colspan=${Math.max(1, names.length)}><progress max="1" .value=${share} aria-label="Progress of ${key}"></progress> <span class="muted">${format.percent(share, 0)} ${step ?? nothing}</span></td></tr>`)}
      ${[...state.failures].map(([key, reason]) => html`<tr class="failed" data-symbol=${key}><th scope="row">${key}</th>
        <td colspan=${Math.max(1, names.length)}><span class="mark mark-loss">failed</span> ${reason}</td></tr>`)}
    </tbody></table></div>`;
}

const isNumber = (rows: readonly (readonly [string, Outcome])[], name: string): boolean => rows.some(([, outcome]) => typeof outcome[name] === "number");

function text(value: unknown): string | typeof nothing {
  if (typeof value === "number") return format.count(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return /^\d{4}-\d\d-\d\dT/.test(value) ? format.utcMinute(value) : value;
  return nothing;
}

/** A scan: what the strategy says of each cryptocurrency at this moment, the strongest entries first. */

import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import type { ScanSpec, Strategy } from "../api/types";
import { draftOf, toQuery } from "../form/draft";
import * as format from "../format";
import { type Saying, SAYINGS, type Scanned, counted, sayingOf, scannedOf } from "../run/scan";
import type { RunState } from "../run/state";
import { USUAL_QUOTE, splitSymbol } from "../table/symbols";
import { hitMark, warningMark } from "./marks";
import { sparkline } from "./sparkline";

const SIGNS: Record<Saying, string> = { "enter long": "▲", "enter short": "▼", exit: "◆", hold: "–" };
const TONES: Record<Saying, string> = { "enter long": "gain", "enter short": "loss", exit: "", hold: "muted" };

export interface ScanView {
  state: RunState;
  strategy: Strategy | undefined;
  /** Which of what is said is shown; null is all. */
  shown: Saying | null;
  choose(shown: Saying | null): void;
}

export function scanRun({ state, strategy, shown, choose }: ScanView): TemplateResult {
  const all = scannedOf(state);
  const counts = counted(all);
  const rows = shown ? all.filter((one) => sayingOf(one) === shown) : all;
  const tab = (saying: Saying | null, title: string, count: number) => html`<button class="button" aria-pressed=${shown === saying} @click=${() => choose(saying)}>
    ${title} <span class="muted">${format.count(count)}</span></button>`;
  return html`<div class="toolbar" role="toolbar" aria-label="Signals">
      ${tab(null, "All", all.length)}
      ${SAYINGS.map((saying) => tab(saying, format.sentence(saying), counts[saying]))}
    </div>
    <div class="table-scroll" tabindex="0" role="region" aria-label="Signals by cryptocurrency">${all.length + state.failures.size === 0 ? waiting() : table(state, rows, strategy)}</div>`;
}

const waiting = (): TemplateResult => html`<div class="empty"><h2>Waiting for the first signal</h2><p>The scan is stored and queued; a worker takes it as soon as one is free.</p></div>`;

function table(state: RunState, rows: readonly Scanned[], strategy: Strategy | undefined): TemplateResult {
  const spec = state.run.spec as unknown as ScanSpec;
  const unit = strategy?.strength_unit;
  return html`<table class="results plain scan">
    <thead><tr><th scope="col">Symbol</th><th scope="col">Signal</th>
      <th scope="col" class="number" title="How far the strategy's own measure lies beyond its level">Strength${unit ? html`<span class="unit wide-only"> ${unit}</span>` : nothing}</th>
      <th scope="col" class="number wide-only">Candles ago</th><th scope="col" class="wide-only">Time, UTC</th><th scope="col" class="number wide-only">Close</th>
      <th scope="col" class="spark-column wide-only">Latest closes</th><td class="wide-only"></td></tr></thead>
    <tbody>
      ${repeat(rows, ({ symbol }) => symbol, (one) => scanRow(one, spec, state))}
      ${[...state.failures].map(([symbol, reason]) => html`<tr class="failed" data-symbol=${symbol}><th scope="row">${symbol}</th><td colspan="7"><span class="mark mark-loss">failed</span> ${reason}</td></tr>`)}
    </tbody></table>`;
}

function scanRow(one: Scanned, spec: ScanSpec, { run }: RunState): TemplateResult {
  const [base, quote] = splitSymbol(one.symbol);
  const saying = sayingOf(one);
  const { strength, age_bars: age, close } = one.metrics;
  const draft = { ...draftOf(run.spec), task: "backtest", direction: spec.direction, symbols: [one.symbol], hit: "", maxHits: "" };
  return html`<tr data-symbol=${one.symbol}>
    <th scope="row"><div class="symbol"><b class="truncate">${base}</b> <span class="quote ${quote === USUAL_QUOTE ? "usual" : ""}">${quote}</span>${one.hit ? hitMark() : nothing}${one.warnings.length > 0 ? warningMark(one.warnings) : nothing}</div></th>
    <td class="nowrap ${TONES[saying]}">${SIGNS[saying]} ${saying}</td>
    <td class="number">${format.number(strength, 2)}</td>
    <td class="number wide-only">${typeof age === "number" ? format.count(age) : format.NONE}</td>
    <td class="wide-only">${format.utcMinute(one.signal_time ?? one.last_time)}</td>
    <td class="number wide-only">${format.price(close)}</td>
    <td class="spark-column wide-only">${sparkline(one.sparkline)}</td>
    <td class="row-actions wide-only"><a href="/?${toQuery(draft)}" aria-label="Backtest ${one.symbol}">Backtest</a></td>
  </tr>`;
}

/** The figures above the table: what the run says so far, each beside what it must be compared with. */

import { html, type TemplateResult } from "lit";

import * as format from "../format";
import { resultPath } from "../router";
import type { Row, RunState } from "../run/state";
import type { Statistics } from "../run/statistics";
import { shortName } from "../table/symbols";

const tone = (value: number | null) => (value === null || value === 0 ? "" : value > 0 ? "gain" : "loss");

function card(title: string, figure: TemplateResult | string, below: TemplateResult | string): TemplateResult {
  return html`<div class="figure"><dt>${title}</dt><dd><span class="figure-value">${figure}</span><span class="figure-below">${below}</span></dd></div>`;
}

const returned = (value: number | null): TemplateResult => html`<span class=${tone(value)}>${format.signedPercent(value)}</span>`;

function extreme(title: string, runId: string, row: Row | null): TemplateResult {
  if (!row) return card(title, format.NONE, "");
  const value = row.metrics["total_return"] ?? null;
  const trades = row.metrics["trade_count"];
  return card(title, returned(value),
    html`<a href=${resultPath(runId, row.symbol)} class="truncate">${shortName(row.symbol)}</a><span> · ${format.count(trades)} trades</span>`);
}

export function liveCards(state: RunState, live: Statistics, showHits: () => void): TemplateResult {
  const share = live.count > 0 ? live.positive / live.count : 0;
  return html`<dl class="figures">
    ${card("Median return", returned(live.median), html`B&H ${format.signedPercent(live.medianBuyHold)}`)}
    ${card("Mean return", returned(live.mean), live.count === 0 ? "" : skewed(live) ? "pulled by few results" : "of all results")}
    ${card("Positive", html`${format.count(live.positive)} <span class="of">of ${format.count(live.count)}</span>`,
      html`<meter class="share" min="0" max="1" .value=${share} aria-label="Share of positive results"></meter>`)}
    ${extreme("Best", state.run.id, live.best)}
    ${extreme("Worst", state.run.id, live.worst)}
    ${state.run.spec.hit ? card("Hits", html`${format.count(state.hits)} <span class="of">${state.run.spec.max_hits ? `of ${format.count(state.run.spec.max_hits)}` : ""}</span>`,
      html`<span class="truncate" title=${state.run.spec.hit}>${state.run.spec.hit}</span>${
        state.hits > 0 ? html` · <button class="button-link" @click=${showHits}>show</button>` : ""}`) : card("Reused", html`${format.count(live.cached)} <span class="of">of ${format.count(live.count)}</span>`,
      live.cached > 0 ? "linked, not recomputed" : "")}
  </dl>`;
}

/** The mean says little when a few results dominate it. */
function skewed(live: Statistics): boolean {
  return live.mean !== null && live.median !== null && live.count > 4 && Math.abs(live.mean - live.median) > Math.max(0.1, Math.abs(live.median));
}

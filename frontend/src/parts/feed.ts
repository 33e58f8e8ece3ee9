/** The latest results and failures, newest first, with their times. */

import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import * as format from "../format";
import { resultPath } from "../router";
import type { FeedEntry, RunState } from "../run/state";
import { shortName } from "../table/symbols";
import { hitMark } from "./marks";

export function feed(state: RunState): TemplateResult {
  return html`<section class="feed" aria-label="Latest results">
    <h2>Latest</h2>
    ${state.feed.length === 0 ? html`<p class="muted">Results and failures will stand here as they arrive.</p>` : html`
      <ol tabindex="0" aria-label="Latest results, newest first">${repeat(state.feed, ({ seq }) => seq, (entry) => feedLine(state.run.id, entry))}</ol>`}
  </section>`;
}

function feedLine(runId: string, { at, symbol, totalReturn, hit, failure }: FeedEntry): TemplateResult {
  const name = shortName(symbol);
  const tone = totalReturn === null || totalReturn === 0 ? "" : totalReturn > 0 ? "gain" : "loss";
  return html`<li>
    <time class="muted" datetime=${at} title=${format.utcSecond(at)}>${format.clock(at)}</time>
    ${failure === null ? html`<span class="truncate"><a href=${resultPath(runId, symbol)}>${name}</a> ${hit ? hitMark() : nothing}</span><span class="number ${tone}">${format.signedPercent(totalReturn)}</span>`
      : html`<span class="truncate">${name}</span><span class="loss truncate" title=${failure}>${failure}</span>`}
  </li>`;
}

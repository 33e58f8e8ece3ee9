/** What stands above a run's results: how far it is, what it came to, and the states without results. */

import { html, type TemplateResult } from "lit";

import type { ApiError } from "../api/client";
import { draftOf, toQuery } from "../form/draft";
import * as format from "../format";
import { type RunState, hasEnded } from "../run/state";

/** Why a run ended before all was done. */
const WHY: Record<string, string> = {
  max_hits: ": there are enough hits", timeout: ": its time was up", max_failures: ": too much failed",
};

export function progressLine({ progress, status }: RunState): TemplateResult {
  const ended = hasEnded({ status });
  // A run that was stopped is over, but not all of it was done.
  const percent = progress.cancelled > 0 ? (100 * progress.completed) / progress.total : progress.percent;
  const facts = [
    `${format.count(progress.completed)} of ${format.count(progress.total)}`,
    progress.failed > 0 ? `${format.count(progress.failed)} failed` : "",
    progress.cancelled > 0 ? `${format.count(progress.cancelled)} cancelled` : "",
    progress.per_second && status === "running" ? `${format.number(progress.per_second, progress.per_second < 10 ? 1 : 0)}/s` : "",
    ended ? `in ${format.duration(progress.elapsed_seconds)}` : "",
    !ended && status !== "paused" && progress.eta_seconds !== null ? `${format.duration(progress.eta_seconds)} left` : "",
    status === "paused" ? "paused" : "",
  ];
  return html`<div class="progress-line">
    <div class="progress" role="progressbar" aria-label="Progress" aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.floor(percent)} data-status=${status}>
      <div .style=${`width:${percent}%`}></div>
    </div>
    <b class="percent">${format.number(Math.floor(percent), 0)}${format.THIN}%</b>
    <span class="muted facts">${facts.filter(Boolean).join(" · ")}</span>
  </div>`;
}

/** What the run came to, or why it has not. The line is there from the start, so that nothing below moves at the end. */
export function outcomeLine(state: RunState): TemplateResult {
  if (state.status === "failed") {
    return html`<p class="notice notice-error" role="alert">The run failed${WHY[state.reason ?? ""] ?? `: ${state.error ?? "no reason was given"}`}.
      Results that stand here are stored and correct. <a href="/?${toQuery(draftOf(state.run.spec, state.run.notify))}">Start it again</a></p>`;
  }
  const { summary } = state;
  if (!summary) return html`<p class="run-summary muted">${state.status === "paused" ? "Paused. Results so far stay; nothing new is computed until it is resumed." : "Results arrive as they are computed."}</p>`;
  return html`<p class="run-summary" role="status" data-testid="summary">
    <b>${state.status === "stopped" ? "Stopped" : "Complete"}${WHY[state.reason ?? ""] ?? ""}.</b>
    ${format.count(summary.result_count)} results, ${format.count(summary.computed_count)} computed and ${format.count(summary.cached_count)} reused;
    ${format.count(summary.positive_count)} positive. Median return ${format.signedPercent(summary.median_return)} against ${format.signedPercent(summary.median_buy_hold_return)} for buy and hold.
  </p>`;
}

export function noResults(state: RunState): TemplateResult {
  return html`<div class="empty"><h2>${hasEnded(state) ? "There are no results" : "Waiting for the first result"}</h2>
    <p>${hasEnded(state) ? "The run ended before any cryptocurrency was done." : "The run is stored and queued; a worker takes it as soon as one is free."}</p></div>`;
}

export function loadingRun(): TemplateResult {
  return html`<div class="run" aria-busy="true">
    <div class="skeleton"></div><div class="skeleton"></div>
    <dl class="figures">${Array.from({ length: 6 }, () => html`<div class="figure skeleton"></div>`)}</dl>
    <div class="skeleton grow"></div>
  </div>`;
}

export const errorTitle = ({ status }: ApiError): string => (status === 404 ? "This run is not here" : "The run cannot be shown");

export function runError(error: ApiError, reload: () => void): TemplateResult {
  const isGone = error.status === 404;
  return html`<div class="empty" role="alert">
    <h1>${errorTitle(error)}</h1>
    <p>${isGone ? "It was deleted, or it belongs to somebody else." : `${error.message} The run itself and its results are safe.`}</p>
    ${isGone ? html`<a class="button" href="/runs/">See all runs</a>` : html`<button class="button" @click=${reload}>Try again</button>`}
  </div>`;
}

/** Asks before a run is stopped. */
export function stopDialog(state: RunState, stop: (address: string) => void): TemplateResult {
  const { progress, run } = state;
  return html`<dialog class="ask-stop" aria-labelledby="stop-title">
    <h2 id="stop-title">Stop this run?</h2>
    <p>The ${format.count(progress.completed)} results so far stay. The other ${format.count(progress.total - progress.completed)} will not be computed.</p>
    <form method="dialog" class="actions">
      <button class="button">Keep running</button>
      <button class="button button-danger" @click=${() => run.links.stop && stop(run.links.stop)}>Stop</button>
    </form>
  </dialog>`;
}

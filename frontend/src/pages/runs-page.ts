/** All runs of the user, newest first, with the progress of those under way. */

import { html, nothing, type TemplateResult } from "lit";

import { ApiError, getRuns } from "../api/client";
import type { Page, Run } from "../api/types";
import { PageElement } from "../element";
import * as format from "../format";
import { statusMark } from "../parts/marks";
import { runPath } from "../router";
import { hasEnded } from "../run/state";

const REFRESH_MS = 1000;
const PAGE_SIZE = 50;

class RunsPage extends PageElement {
  static override properties = { answer: { state: true }, page: { state: true }, error: { state: true } };

  answer: Page<Run> | null = null;
  page = 1;
  error = "";
  private timer = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    document.title = "Runs · Candlestream";
    void this.load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  private async load(): Promise<void> {
    clearTimeout(this.timer);
    try {
      this.answer = await getRuns(new URLSearchParams({ page: String(this.page), page_size: String(PAGE_SIZE) }));
      this.error = "";
    } catch (error) {
      this.error = error instanceof ApiError ? error.message : String(error);
    }
    const isActive = this.error !== "" || this.answer?.results.some((run) => !hasEnded(run));
    if (isActive && this.isConnected) this.timer = window.setTimeout(() => void this.load(), REFRESH_MS);
  }

  protected override render(): TemplateResult {
    return html`<div class="page">
      <div class="page-title"><h1>Runs</h1><span class="grow"></span><a class="button button-primary" href="/">New run</a></div>
      ${this.error ? html`<p class="notice notice-error" role="alert">${this.error} Runs that are under way are not affected.</p>` : nothing}
      ${this.answer ? this.renderRuns(this.answer) : html`<div class="skeleton" .style=${"height:320px"}></div>`}
    </div>`;
  }

  private renderRuns({ results, count, next, previous }: Page<Run>): TemplateResult {
    if (count === 0) {
      return html`<div class="empty"><h2>No runs yet</h2><p>A run backtests one strategy over a whole market.</p><a class="button" href="/">Start the first run</a></div>`;
    }
    return html`<div class="table-frame"><table class="results runs">
      <caption class="visually-hidden">Runs, newest first</caption>
      <thead><tr><th scope="col">Strategy</th><th scope="col">Status</th><th scope="col" class="wide-only">Range</th>
        <th scope="col" class="number">Done</th><th scope="col" class="number">Median<span class="unit"> %</span></th><th scope="col" class="number wide-only">Positive</th><th scope="col" class="wide-only">Started</th></tr></thead>
      <tbody>${results.map((run) => this.renderRun(run))}</tbody>
    </table></div>
    ${next || previous ? html`<nav class="pager" aria-label="More runs">
      <button class="button" ?disabled=${!previous} @click=${() => this.turn(-1)}>Newer</button>
      <button class="button" ?disabled=${!next} @click=${() => this.turn(1)}>Older</button>
    </nav>` : nothing}`;
  }

  private turn(by: number): void {
    this.page += by;
    void this.load();
  }

  private renderRun(run: Run): TemplateResult {
    const { spec, progress, summary } = run;
    const median = summary?.median_return ?? null;
    const tone = median === null || median === 0 ? "" : median > 0 ? "gain" : "loss";
    return html`<tr>
      <th scope="row"><a class="run-link" href=${runPath(run.id)}>${format.sentence(spec.strategy)}</a>
        <span class="muted wide-only">${Object.entries(spec.parameters).map(([name, value]) => `${name.replaceAll("_", " ")} ${String(value)}`).join(" · ")}</span></th>
      <td>${statusMark(run.status)}</td>
      <td class="wide-only">${spec.interval} · ${format.utcDay(spec.start)} → ${format.utcDay(spec.end)}</td>
      <td class="number">${hasEnded(run) ? nothing : html`<progress max="100" .value=${progress.percent} aria-label="Progress"></progress>`}
        ${format.count(progress.completed)} <span class="muted">of ${format.count(progress.total)}</span></td>
      <td class="number ${tone}">${format.signedPercentPoints(median)}</td>
      <td class="number wide-only">${summary ? html`${format.count(summary.positive_count)} <span class="muted">of ${format.count(summary.result_count)}</span>` : format.NONE}</td>
      <td class="wide-only"><time datetime=${run.created_at} title=${format.utcSecond(run.created_at)}>${format.localMinute(run.created_at)}</time></td>
    </tr>`;
  }
}

customElements.define("cs-runs", RunsPage);

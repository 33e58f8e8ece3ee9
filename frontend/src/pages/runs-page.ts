/** All runs of the user, newest first, with the progress of those under way. */

import { html, nothing, type TemplateResult } from "lit";

import { ApiError, deleteRun, getRuns } from "../api/client";
import type { Page, Run, Strategy } from "../api/types";
import { PageElement } from "../element";
import { draftOf, toQuery } from "../form/draft";
import * as format from "../format";
import { statusMark } from "../parts/marks";
import { runPath } from "../router";
import { hasEnded } from "../run/state";
import { isBacktest, isScan, runText, serverSearch, strategies, strategyTitle } from "../run/strategies";
import { MOST_COMPARED } from "./compare-page";

const REFRESH_MS = 1000;
const PAGE_SIZE = 50;
/** The server is asked when nothing was typed for this long. */
const TYPING_MS = 250;
/** Longer than any sensible search; the server refuses much longer ones. */
const MAX_SEARCH_LENGTH = 200;

class RunsPage extends PageElement {
  static override properties = {
    answer: { state: true }, page: { state: true }, error: { state: true }, known: { state: true }, chosen: { state: true }, search: { state: true },
    doomed: { state: true },
  };

  answer: Page<Run> | null = null;
  page = 1;
  error = "";
  known: Strategy[] = [];
  chosen: readonly string[] = [];
  search = (new URLSearchParams(location.search).get("search") ?? "").slice(0, MAX_SEARCH_LENGTH);
  /** The run that the user is asked about before it is deleted. */
  doomed: Run | null = null;
  private timer = 0;
  /** Which of several questions under way is the latest: an answer to an earlier one comes too late. */
  private asked = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    document.title = "Runs · Candlestream";
    void this.loadFirst();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  /** A search by a strategy's title needs the titles; the list itself does not wait for them. */
  private async loadFirst(): Promise<void> {
    const titles = strategies().then((known) => { this.known = known; }, () => undefined);
    if (this.search) await titles;
    await this.load();
  }

  private async load(): Promise<void> {
    clearTimeout(this.timer);
    const number = ++this.asked;
    let isTemporary = false;
    try {
      const answer = await getRuns(new URLSearchParams({
        page: String(this.page), page_size: String(PAGE_SIZE), ...(this.search.trim() ? { search: serverSearch(this.search, this.known) } : {}),
      }));
      if (number !== this.asked) return;
      this.answer = answer;
      this.error = "";
    } catch (error) {
      if (number !== this.asked) return;
      // The last run of the last page was deleted.
      if (error instanceof ApiError && error.status === 404 && this.page > 1) return this.turn(-1);
      isTemporary = !(error instanceof ApiError) || error.status < 400 || error.status >= 500;
      this.error = error instanceof ApiError ? error.fields["search"]?.join(" ") ?? error.message : String(error);
    }
    const isActive = this.error ? isTemporary : this.answer?.results.some((run) => !hasEnded(run));
    if (isActive && this.isConnected) this.timer = window.setTimeout(() => void this.load(), REFRESH_MS);
  }

  private async delete(run: Run): Promise<void> {
    try {
      await deleteRun(run);
      this.chosen = this.chosen.filter((id) => id !== run.id);
      await this.load();
    } catch (error) {
      this.error = error instanceof ApiError ? error.message : String(error);
    }
  }

  protected override updated(): void {
    const dialog = this.querySelector<HTMLDialogElement>(".ask-delete");
    if (this.doomed && dialog && !dialog.open) dialog.showModal();
  }

  /** Look for these words among all runs; the address keeps them for who comes back to it. */
  private find(search: string, afterMs = TYPING_MS): void {
    this.search = search;
    this.page = 1;
    history.replaceState(null, "", search.trim() ? `?${new URLSearchParams({ search })}` : location.pathname);
    clearTimeout(this.timer);
    this.asked += 1;
    this.timer = window.setTimeout(() => void this.load(), afterMs);
  }

  protected override render(): TemplateResult {
    return html`<div class="page">
      <div class="page-title"><h1>Runs</h1><span class="grow"></span><a class="button" href="/scans/">Saved scans</a><a class="button button-primary" href="/">New run</a></div>
      ${this.error ? html`<p class="notice notice-error" role="alert">${this.error} Runs that are under way are not affected.</p>` : nothing}
      ${this.answer?.count || this.search.trim() ? this.renderToolbar() : nothing}
      ${this.answer ? this.renderRuns(this.answer) : this.error ? nothing : html`<div class="skeleton" .style=${"height:320px"} aria-busy="true"></div>`}
    </div>`;
  }

  private renderToolbar(): TemplateResult {
    return html`<div class="toolbar above">
      <input class="input filter" type="search" placeholder="Search runs" aria-label="Search runs" maxlength=${MAX_SEARCH_LENGTH} .value=${this.search}
        @input=${(input: Event) => this.find((input.target as HTMLInputElement).value)}>
      <span class="muted nowrap" role="status">${this.answer && this.search.trim() ? `${format.count(this.answer.count)} found` : nothing}</span>
      <span class="grow"></span>
      ${this.chosen.length >= 2 ? html`<a class="button" href="/compare/?runs=${this.chosen.join(",")}">Compare ${this.chosen.length} runs</a>`
        : html`<span class="muted">${this.chosen.length === 1 ? "Tick one more to compare" : "Tick runs to compare them"}</span>`}
    </div>`;
  }

  private renderRuns({ results, count, next, previous }: Page<Run>): TemplateResult {
    if (count === 0 && !this.search.trim()) {
      return html`<div class="empty"><h2>No runs yet</h2><p>A run backtests one strategy over a whole market.</p><a class="button" href="/">Start the first run</a></div>`;
    }
    return html`
      <div class="table-frame"><table class="results plain runs">
        <caption class="visually-hidden">Runs, newest first</caption>
        <thead><tr><td class="tick"></td><th scope="col">Strategy</th><th scope="col">Status</th><th scope="col" class="wide-only">Range</th>
          <th scope="col" class="number wide-only">Done</th><th scope="col" class="number">Median <span class="unit">%</span></th><th scope="col" class="number wide-only">Positive</th>
          <th scope="col" class="wide-only">Started</th><td></td></tr></thead>
        <tbody>${results.map((run) => this.renderRun(run))}</tbody>
      </table>
      ${results.length === 0 ? html`<div class="empty"><h2>No run matches</h2><p>Words of a strategy, a parameter, a source, a status or the beginning of a run's id are looked for.</p>
        <button class="button" @click=${() => this.find("", 0)}>Clear the search</button></div>` : nothing}
      </div>
      ${next || previous ? html`<nav class="pager" aria-label="More runs">
        <button class="button" ?disabled=${!previous} @click=${() => this.turn(-1)}>Newer</button>
        <button class="button" ?disabled=${!next} @click=${() => this.turn(1)}>Older</button>
      </nav>` : nothing}
      ${this.renderDeleteDialog()}`;
  }

  private turn(by: number): Promise<void> {
    this.page += by;
    return this.load();
  }

  private renderRun(run: Run): TemplateResult {
    const { spec, progress, summary } = run;
    const median = summary?.median_return ?? null;
    const tone = median === null || median === 0 ? "" : median > 0 ? "gain" : "loss";
    const title = strategyTitle(run, this.known);
    const isChosen = this.chosen.includes(run.id);
    return html`<tr>
      <td class="tick"><input type="checkbox" aria-label="Compare ${title}, ${runText(run)}" .checked=${isChosen}
        ?disabled=${!isBacktest(run) || (!isChosen && this.chosen.length >= MOST_COMPARED)} @change=${() => this.choose(run.id)}></td>
      <th scope="row"><a class="run-link" href=${runPath(run.id)}>${title}</a><span class="muted">${runText(run)}</span></th>
      <td>${statusMark(run.status)}${progress.failed > 0 ? html` <span class="mark mark-loss">${format.count(progress.failed)} failed</span>` : nothing}</td>
      <td class="wide-only">${isBacktest(run) ? html`${spec.interval} · ${format.utcDay(spec.start)} → ${format.utcDay(spec.end)}` : nothing}</td>
      <td class="number wide-only">${hasEnded(run) ? nothing : html`<progress max="100" .value=${progress.percent} aria-label="Progress"></progress>`}
        ${format.count(progress.completed)} <span class="muted">of ${format.count(progress.total)}</span></td>
      <td class="number ${tone}">${format.signedPercentPoints(median)}</td>
      <td class="number wide-only">${summary && isBacktest(run) ? html`${format.count(summary.positive_count)} <span class="muted">of ${format.count(summary.result_count)}</span>` : format.NONE}</td>
      <td class="wide-only"><time datetime=${run.created_at} title=${format.utcSecond(run.created_at)}>${format.localMinute(run.created_at)}</time></td>
      <td class="row-actions">
        ${isBacktest(run) || isScan(run) ? html`<a class="button button-plain wide-only" href="/?${toQuery(draftOf(spec, run.notify))}" aria-label="Rerun ${title}, ${runText(run)}">Rerun</a>` : nothing}
        ${hasEnded(run) ? html`<button class="button button-plain delete" aria-label="Delete this run of ${title}" @click=${() => { this.doomed = run; }}>Delete</button>` : nothing}
      </td>
    </tr>`;
  }

  private choose(id: string): void {
    this.chosen = this.chosen.includes(id) ? this.chosen.filter((one) => one !== id) : [...this.chosen, id];
  }

  private renderDeleteDialog(): TemplateResult | typeof nothing {
    const run = this.doomed;
    if (!run) return nothing;
    return html`<dialog class="ask-delete" aria-labelledby="delete-title" @close=${() => { this.doomed = null; }}>
      <h2 id="delete-title">Delete this run?</h2>
      <p>${strategyTitle(run, this.known)}, ${runText(run)}. Its results go with it, unless another run uses them.</p>
      <form method="dialog" class="actions"><button class="button">Keep</button>
        <button class="button button-danger" @click=${() => this.delete(run)}>Delete</button></form>
    </dialog>`;
  }
}

customElements.define("cs-runs", RunsPage);

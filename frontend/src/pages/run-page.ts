/** One run: progress, figures, table and feed while it grows; a result opens over them. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";

import { guard } from "lit/directives/guard.js";

import { ApiError, control } from "../api/client";
import type { Strategy } from "../api/types";
import { PageElement } from "../element";
import { draftOf, toQuery } from "../form/draft";
import * as format from "../format";
import { feed } from "../parts/feed";
import { liveCards } from "../parts/live-cards";
import { generatedMark, statusMark } from "../parts/marks";
import { otherRun } from "../parts/other-run";
import { returnHistogram, returnScatter } from "../parts/overview-charts";
import "../parts/result-table";
import { askToNotify, mayAsk, notifyEnd, restoreIcon, showProgressIcon, titleOf } from "../run/announce";
import { type Row, type RunState, hasEnded } from "../run/state";
import { statistics } from "../run/statistics";
import { isBacktest, runText, strategies, strategyTitle } from "../run/strategies";
import { RunWatcher } from "../run/watcher";
import { remember, remembered } from "../settings";
import { COLUMNS, type Column, type Ordering, sorted } from "../table/columns";
import { download, toCsv, toJson } from "../table/export";
import { filterOf } from "../table/filter";

type Panel = "table" | "charts" | "feed";
const PANELS: readonly [Panel, string][] = [["table", "Table"], ["charts", "Charts"], ["feed", "Feed"]];

/** A connection that is back within this time is not worth a banner. */
const BANNER_AFTER_MS = 1000;
/** The charts are drawn anew this often at most: the table alone follows every frame. */
const CHART_MS = 120;

class RunPage extends PageElement {
  static override properties = {
    runId: {}, symbol: {}, filter: { state: true }, ordering: { state: true }, shownColumns: { state: true }, message: { state: true },
    strategies: { state: true }, panel: { state: true },
  };

  runId = "";
  symbol: string | null = null;
  filter = "";
  ordering: Ordering = remembered("ordering", { by: "total_return", descending: true });
  shownColumns: string[] = remembered("columns", COLUMNS.filter(({ isDefault }) => isDefault).map(({ id }) => id));
  message = "";
  strategies: Strategy[] = [];
  /** What a phone shows; a wide screen shows all. */
  panel: Panel = "table";

  private readonly watcher = new RunWatcher(this, (state) => notifyEnd(state, strategyTitle(state.run, this.strategies)));
  private clockTimer = 0;
  private drawnRows: readonly Row[] = [];
  private drawnAt = -Infinity;
  private chartTimer = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("keydown", this.onKey);
    this.clockTimer = window.setInterval(() => { if (this.watcher.lostAt !== null) this.requestUpdate(); }, 1000);
    strategies().then((known) => { this.strategies = known; }, () => undefined);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.onKey);
    clearInterval(this.clockTimer);
    clearTimeout(this.chartTimer);
    restoreIcon();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("runId")) this.watcher.watch(this.runId);
    // The charts are only loaded when somebody looks at a result.
    if (this.symbol) void import("./result-view");
  }

  protected override updated(changed: PropertyValues): void {
    const closed = changed.get("symbol") as string | null | undefined;
    if (closed && !this.symbol) void this.querySelector("cs-result-table")?.focusRow(closed);
    const { state } = this.watcher;
    if (!state) document.title = "Run · Candlestream";
    else {
      if (!this.symbol) document.title = titleOf(state, strategyTitle(state.run, this.strategies));
      if (hasEnded(state)) restoreIcon();
      else showProgressIcon(state.progress.percent);
    }
  }

  private get columns(): Column[] {
    return COLUMNS.filter(({ id }) => this.shownColumns.includes(id));
  }

  private visibleRows(state: RunState): Row[] {
    const matches = filterOf(this.filter);
    return sorted([...state.rows.values()].filter(matches), this.ordering);
  }

  private readonly onKey = (key: KeyboardEvent): void => {
    const isTyping = (key.target as HTMLElement).closest("input, textarea, select, dialog") !== null;
    if (isTyping || key.ctrlKey || key.metaKey || key.altKey || this.symbol) return;
    const links = this.watcher.state?.run.links;
    if (key.key === "/") this.querySelector<HTMLElement>(".filter")?.focus();
    else if (key.key === "p" && (links?.pause || links?.resume)) void this.use((links.pause ?? links.resume)!);
    else if (key.key === "s" && links?.stop) this.askToStop();
    else if (key.key === "ArrowDown" && document.activeElement === document.body) void this.querySelector("cs-result-table")?.focusRow();
    else return;
    key.preventDefault();
  };

  private async use(address: string): Promise<void> {
    this.message = "";
    try {
      await control(address);
    } catch (error) {
      this.message = error instanceof ApiError ? error.message : String(error);
    }
  }

  private askToStop(): void {
    this.querySelector<HTMLDialogElement>(".ask-stop")?.showModal();
  }

  protected override render(): TemplateResult {
    const { error, state } = this.watcher;
    if (error && !state) return this.renderError(error);
    if (!state) return this.renderLoading();
    if (!isBacktest(state.run)) return this.renderOther(state);
    const rows = this.visibleRows(state);
    return html`
      ${this.renderBanner()}
      <div class="run" ?inert=${this.symbol !== null}>
        ${this.renderHead(state)} ${this.renderProgress(state)} ${this.renderEnd(state)}
        ${liveCards(state, statistics(state.rows.values()))}
        <div class="panel-tabs" role="group" aria-label="Show">
          ${PANELS.map(([id, title]) => html`<button class="button" aria-pressed=${this.panel === id} @click=${() => { this.panel = id; }}>${title}</button>`)}
        </div>
        <div class="run-body" data-panel=${this.panel}>
          <section class="run-table" aria-label="Results">
            ${this.renderToolbar(state, rows)}
            <div class="table-scroll">
              ${state.rows.size + state.failures.size === 0 ? this.renderWaiting(state) : html`
                <cs-result-table .runId=${this.runId} .rows=${rows} .failures=${this.visibleFailures(state)} .columns=${this.columns}
                  .ordering=${this.ordering} .total=${state.progress.total}
                  @order=${(order: CustomEvent<Ordering>) => { this.ordering = order.detail; remember("ordering", order.detail); }}></cs-result-table>
                ${rows.length === 0 && this.filter ? html`<div class="empty"><h2>No result matches</h2>
                  <p>Try a part of a symbol, or a condition such as <code>sharpe&gt;1</code> or <code>return&lt;-20</code>.</p>
                  <button class="button" @click=${() => { this.filter = ""; }}>Clear the filter</button></div>` : nothing}`}
            </div>
          </section>
          <aside class="run-side" aria-label="Overview">
            ${guard([this.chartRows(rows)], () => html`<div class="overview">
              ${returnHistogram(this.drawnRows)} ${returnScatter(this.drawnRows, this.runId)}</div>`)}
            ${feed(state)}
          </aside>
        </div>
      </div>
      ${this.symbol ? html`<cs-result .run=${state.run} .symbol=${this.symbol} .order=${rows.map(({ symbol }) => symbol)}></cs-result>` : nothing}
      ${this.renderStopDialog(state)}`;
  }

  private renderOther(state: RunState): TemplateResult {
    return html`${this.renderBanner()}
      <div class="run">${this.renderHead(state)} ${this.renderProgress(state)} <section class="run-table" aria-label="Results">${otherRun(state)}</section></div>
      ${this.renderStopDialog(state)}`;
  }

  /** The rows that the charts show: while results pour in, those of a moment ago. */
  private chartRows(rows: readonly Row[]): readonly Row[] {
    const now = performance.now();
    if (now - this.drawnAt >= CHART_MS) {
      this.drawnRows = rows;
      this.drawnAt = now;
    } else {
      clearTimeout(this.chartTimer);
      this.chartTimer = window.setTimeout(() => this.requestUpdate(), CHART_MS);
    }
    return this.drawnRows;
  }

  private visibleFailures(state: RunState): [string, string][] {
    const wanted = this.filter.trim().toLowerCase();
    return [...state.failures].filter(([symbol]) => symbol.toLowerCase().includes(wanted));
  }

  private renderBanner(): TemplateResult | typeof nothing {
    const { connection, error, lostAt } = this.watcher;
    if (error) return html`<div class="banner" role="status">${error.message} <button class="button-link" @click=${() => this.watcher.reload()}>Load again</button></div>`;
    if (lostAt !== null && Date.now() - lostAt >= BANNER_AFTER_MS) {
      const seconds = Math.round((Date.now() - lostAt) / 1000);
      return html`<div class="banner" role="status">Connection lost ${seconds}${format.THIN}s ago. The run goes on; missed results will arrive when it returns.</div>`;
    }
    return connection === "polling" ? html`<div class="banner" role="status">Live connection is blocked here; asking every second instead.</div>` : nothing;
  }

  private renderHead(state: RunState): TemplateResult {
    const { spec, links } = state.run;
    const isGenerated = [...state.rows.values()].some(({ generated }) => generated);
    const facts = isBacktest(state.run)
      ? [`${format.count(state.progress.total)} symbols`, spec.interval, `${format.utcDay(spec.start)} → ${format.utcDay(spec.end)}`, ...runText(state.run).split(" · ").filter(Boolean)]
      : [runText(state.run)];
    return html`<header class="run-head">
      <h1>${strategyTitle(state.run, this.strategies)}</h1>
      <p class="muted run-what">${facts.map((text, index) => html`${index > 0 ? " · " : ""}<span class="nowrap">${text}</span>`)}</p>
      ${isGenerated ? generatedMark() : nothing} ${statusMark(state.status)}
      <div class="run-controls">
        ${links.pause ? html`<button class="button" @click=${() => this.use(links.pause!)}>Pause</button>` : nothing}
        ${links.resume ? html`<button class="button" @click=${() => this.use(links.resume!)}>Resume</button>` : nothing}
        ${links.stop ? html`<button class="button" @click=${() => this.askToStop()}>Stop</button>` : nothing}
        ${!hasEnded(state) && mayAsk()
          ? html`<button class="button" @click=${async () => { await askToNotify(); this.requestUpdate(); }}>Notify when done</button>` : nothing}
        ${hasEnded(state) && isBacktest(state.run) ? html`<a class="button" href="/?${toQuery(draftOf(spec))}">Run with changes</a>` : nothing}
      </div>
    </header>
    ${this.message ? html`<p class="notice notice-error" role="alert">${this.message}</p>` : nothing}`;
  }

  private renderProgress({ progress, status }: RunState): TemplateResult {
    const ended = hasEnded({ status });
    const facts = [
      `${format.count(progress.completed)} of ${format.count(progress.total)}`,
      progress.failed > 0 ? `${format.count(progress.failed)} failed` : "",
      progress.cancelled > 0 ? `${format.count(progress.cancelled)} cancelled` : "",
      progress.per_second && !ended ? `${format.number(progress.per_second, progress.per_second < 10 ? 1 : 0)}/s` : "",
      ended ? `in ${format.duration(progress.elapsed_seconds)}` : "",
      !ended && status !== "paused" && progress.eta_seconds !== null ? `${format.duration(progress.eta_seconds)} left` : "",
      status === "paused" ? "paused" : "",
    ];
    return html`<div class="progress-line">
      <div class="progress" role="progressbar" aria-label="Progress" aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.floor(progress.percent)} data-status=${status}>
        <div .style=${`width:${progress.percent}%`}></div>
      </div>
      <b class="percent">${format.number(Math.floor(progress.percent), 0)}${format.THIN}%</b>
      <span class="muted facts">${facts.filter(Boolean).join(" · ")}</span>
    </div>`;
  }

  private renderEnd(state: RunState): TemplateResult {
    if (state.status === "failed") {
      return html`<p class="notice notice-error" role="alert">The run could not be carried out: ${state.error ?? state.reason ?? "no reason was given"}.
        Results that stand here are stored and correct. <a href="/?${toQuery(draftOf(state.run.spec))}">Start it again</a></p>`;
    }
    const { summary } = state;
    // The line is there from the start, so that nothing below moves when the run ends.
    if (!summary) return html`<p class="run-summary muted">${state.status === "paused" ? "Paused. Results so far stay; nothing new is computed until it is resumed." : "Results arrive as they are computed."}</p>`;
    return html`<p class="run-summary" role="status" data-testid="summary">
      <b>${state.status === "stopped" ? "Stopped" : "Complete"}.</b>
      ${format.count(summary.result_count)} results, ${format.count(summary.computed_count)} computed and ${format.count(summary.cached_count)} reused;
      ${format.count(summary.positive_count)} positive. Median return ${format.signedPercent(summary.median_return)} against ${format.signedPercent(summary.median_buy_hold_return)} for buy and hold.
    </p>`;
  }

  private renderToolbar(state: RunState, rows: Row[]): TemplateResult {
    const name = `${state.run.spec.strategy}-${state.run.id.slice(0, 8)}`;
    return html`<div class="toolbar" role="toolbar" aria-label="Table">
      <input class="input filter" type="search" placeholder="Filter, e.g. sol sharpe>1" aria-label="Filter the table" .value=${this.filter}
        @input=${(input: Event) => { this.filter = (input.target as HTMLInputElement).value; }}
        @keydown=${(key: KeyboardEvent) => { if (key.key === "Escape") { this.filter = ""; (key.target as HTMLElement).blur(); } }}>
      ${this.filter ? html`<span class="muted nowrap" role="status">${rows.length} of ${state.rows.size}</span>` : nothing}
      <span class="grow"></span>
      <details class="menu"><summary class="button">Columns</summary><div class="menu-list">
        ${COLUMNS.map(({ id, title, unit, definition }) => html`<label title=${definition}>
          <input type="checkbox" .checked=${this.shownColumns.includes(id)} @change=${() => this.toggleColumn(id)}> ${title}${unit ? `, ${unit}` : ""}</label>`)}
      </div></details>
      <details class="menu"><summary class="button">Export</summary><div class="menu-list">
        <button @click=${() => download(`${name}.csv`, "text/csv", toCsv(rows))}>CSV, ${rows.length} rows</button>
        <button @click=${() => download(`${name}.json`, "application/json", toJson(rows))}>JSON, ${rows.length} rows</button>
        <button @click=${() => void this.saveReport(state, rows, name)}>Report, HTML</button>
      </div></details>
    </div>`;
  }

  private async saveReport(state: RunState, rows: Row[], name: string): Promise<void> {
    const { reportHtml } = await import("../report");
    download(`${name}.html`, "text/html", reportHtml(state, strategyTitle(state.run, this.strategies), rows));
  }

  private toggleColumn(id: string): void {
    this.shownColumns = this.shownColumns.includes(id) ? this.shownColumns.filter((one) => one !== id) : [...this.shownColumns, id];
    remember("columns", this.shownColumns);
  }

  private renderWaiting(state: RunState): TemplateResult {
    return html`<div class="empty"><h2>${hasEnded(state) ? "There are no results" : "Waiting for the first result"}</h2>
      <p>${hasEnded(state) ? "The run ended before any cryptocurrency was done." : "The run is stored and queued; a worker takes it as soon as one is free."}</p></div>`;
  }

  private renderLoading(): TemplateResult {
    return html`<div class="run" aria-busy="true">
      <div class="skeleton"></div><div class="skeleton"></div>
      <dl class="figures">${Array.from({ length: 6 }, () => html`<div class="figure skeleton"></div>`)}</dl>
      <div class="skeleton grow"></div>
    </div>`;
  }

  private renderError(error: ApiError): TemplateResult {
    const isGone = error.status === 404;
    return html`<div class="empty" role="alert">
      <h1>${isGone ? "This run is not here" : "The run cannot be shown"}</h1>
      <p>${isGone ? "It was deleted, or it belongs to somebody else." : `${error.message} The run itself and its results are safe.`}</p>
      ${isGone ? html`<a class="button" href="/runs/">See all runs</a>` : html`<button class="button" @click=${() => this.watcher.reload()}>Try again</button>`}
    </div>`;
  }

  private renderStopDialog(state: RunState): TemplateResult {
    const { progress, run } = state;
    return html`<dialog class="ask-stop" aria-labelledby="stop-title">
      <h2 id="stop-title">Stop this run?</h2>
      <p>The ${format.count(progress.completed)} results so far stay. The other ${format.count(progress.total - progress.completed)} will not be computed.</p>
      <form method="dialog" class="actions">
        <button class="button">Keep running</button>
        <button class="button button-danger" @click=${() => run.links.stop && this.use(run.links.stop)}>Stop</button>
      </form>
    </dialog>`;
  }
}

customElements.define("cs-run", RunPage);

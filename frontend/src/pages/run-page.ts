/** One run: progress, figures, table and feed while it grows; a result opens over them. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { guard } from "lit/directives/guard.js";

import { ApiError, control, getCryptocurrencies, prioritise } from "../api/client";
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
import { scanRun } from "../parts/scan-run";
import { errorTitle, loadingRun, noResults, outcomeLine, progressLine, runError, stopDialog } from "../parts/run-states";
import { navigate, runPath } from "../router";
import { askToNotify, mayAsk, notifyEnd, restoreIcon, showProgressIcon, titleOf } from "../run/announce";
import { type Row, type RunState, hasEnded } from "../run/state";
import { statistics } from "../run/statistics";
import { isBacktest, isScan, runText, strategies, strategyTitle } from "../run/strategies";
import { waitingSymbols } from "../run/waiting";
import { allSettings } from "../run/settings-text";
import type { Saying } from "../run/scan";
import { RunWatcher } from "../run/watcher";
import { remember, remembered } from "../settings";
import { COLUMNS, type Column, type Ordering, sorted } from "../table/columns";
import { download, toCsv, toJson } from "../table/export";
import { filterOf, unknownColumn } from "../table/filter";

type Panel = "table" | "charts" | "feed";
const PANELS: readonly [Panel, string][] = [["table", "Table"], ["charts", "Charts"], ["feed", "Feed"]];

/** A connection that is back within this time is not worth a banner. */
const BANNER_AFTER_MS = 1000;
/** The charts are drawn anew this often at most: the table alone follows every frame. */
const CHART_MS = 120;
const SLOW_SECONDS = 3;
const WAITING_SHOWN = 100;
/** A screen on which the charts have a tall column of their own. */
const TALL = matchMedia("(min-width: 1600px) and (min-height: 960px)");

class RunPage extends PageElement {
  static override properties = {
    runId: {}, symbol: {}, filter: { state: true }, ordering: { state: true }, shownColumns: { state: true }, message: { state: true },
    strategies: { state: true }, panel: { state: true }, saying: { state: true },
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

  /** Which signals of a scan are shown; null is all. */
  saying: Saying | null = null;

  private readonly watcher = new RunWatcher(this, (state) => notifyEnd(state, strategyTitle(state.run, this.strategies)));
  private clockTimer = 0;
  private market: Promise<void> | null = null;
  private marketSymbols: string[] = [];
  private drawnRows: readonly Row[] = [];
  private drawnAt = -Infinity;
  private chartTimer = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("keydown", this.onKey);
    this.clockTimer = window.setInterval(() => { if (this.watcher.lostAt !== null) this.requestUpdate(); }, 1000);
    TALL.addEventListener("change", this.onResize);
    strategies().then((known) => { this.strategies = known; }, () => undefined);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.onKey);
    TALL.removeEventListener("change", this.onResize);
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
    const { error, state } = this.watcher;
    if (!state) document.title = `${error ? errorTitle(error) : "Run"} · Candlestream`;
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

  private readonly onResize = (): void => this.requestUpdate();

  private readonly onKey = (key: KeyboardEvent): void => {
    const isTyping = (key.target as HTMLElement).closest("input, textarea, select, dialog") !== null;
    if (isTyping || key.ctrlKey || key.metaKey || key.altKey || this.symbol) return;
    const links = this.watcher.state && controlsOf(this.watcher.state);
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

  /** Worth showing only where there is time to change the order: in a paused run, or one that takes a while. */
  private waiting(state: RunState): string[] {
    const takesTime = state.status === "paused" || state.progress.elapsed_seconds > SLOW_SECONDS;
    if (hasEnded(state) || !takesTime) return [];
    if (state.run.spec.symbols === "all" && !this.market) this.market = this.readMarket(state);
    return waitingSymbols(state, this.marketSymbols).slice(0, WAITING_SHOWN);
  }

  private async readMarket({ run: { spec } }: RunState): Promise<void> {
    const all = await getCryptocurrencies();
    this.marketSymbols = all.filter(({ series }) => series.some(({ source }) => source === spec.source)).map(({ symbol }) => symbol);
    this.requestUpdate();
  }

  private async doNext(state: RunState, symbol: string): Promise<void> {
    try {
      await prioritise(state.run, [symbol]);
      this.marketSymbols = [symbol, ...this.marketSymbols.filter((one) => one !== symbol)];
      this.requestUpdate();
    } catch (error) {
      this.message = error instanceof ApiError ? error.message : String(error);
    }
  }

  private async retry(address: string): Promise<void> {
    try {
      const run = await control(address);
      navigate(runPath(run.id));
    } catch (error) {
      this.message = error instanceof ApiError ? error.message : String(error);
    }
  }

  private askToStop(): void {
    this.querySelector<HTMLDialogElement>(".ask-stop")?.showModal();
  }

  protected override render(): TemplateResult {
    const { error, state } = this.watcher;
    if (error && !state) return runError(error, () => this.watcher.reload());
    if (!state) return loadingRun();
    if (!isBacktest(state.run)) return this.renderOther(state);
    const rows = this.visibleRows(state);
    return html`
      ${this.renderBanner()}
      <div class="run" ?inert=${this.symbol !== null}>
        ${this.renderHead(state)} ${progressLine(state)} ${outcomeLine(state)}
        ${liveCards(state, statistics(state.rows.values()), () => { this.filter = "is:hit"; })}
        <div class="panel-tabs" role="group" aria-label="Show">
          ${PANELS.map(([id, title]) => html`<button class="button" aria-pressed=${this.panel === id} @click=${() => { this.panel = id; }}>${title}</button>`)}
        </div>
        <div class="run-body" data-panel=${this.panel}>
          <section class="run-table" aria-label="Results">
            ${this.renderToolbar(state, rows)}
            <div class="table-scroll">
              ${state.rows.size + state.failures.size + this.waiting(state).length === 0 ? noResults(state) : html`
                <cs-result-table .runId=${this.runId} .rows=${rows} .failures=${this.visibleFailures(state)} .columns=${this.columns}
                  .ordering=${this.ordering} .total=${state.progress.total} .waiting=${this.waiting(state)}
                  @prioritise=${(event: CustomEvent<string>) => this.doNext(state, event.detail)}
                  @order=${(order: CustomEvent<Ordering>) => { this.ordering = order.detail; remember("ordering", order.detail); }}></cs-result-table>
                ${rows.length === 0 && this.filter ? html`<div class="empty"><h2>No result matches</h2>
                  <p>${unknownColumn(this.filter) ? html`There is no column called <code>${unknownColumn(this.filter)}</code>; see Columns. ` : nothing}Try a part of a symbol, or a condition such as <code>sharpe&gt;1</code> or <code>return&lt;-20</code>.</p>
                  <button class="button" @click=${() => { this.filter = ""; }}>Clear the filter</button></div>` : nothing}`}
            </div>
          </section>
          <aside class="run-side" aria-label="Overview">
            ${guard([this.chartRows(rows), TALL.matches], () => html`<div class="overview">
              ${returnHistogram(this.drawnRows)} ${returnScatter(this.drawnRows, this.runId, TALL.matches)}</div>`)}
            ${feed(state)}
          </aside>
        </div>
      </div>
      ${this.symbol ? html`<cs-result .run=${state.run} .what=${`${strategyTitle(state.run, this.strategies)} · ${runText(state.run)}`} .symbol=${this.symbol} .order=${rows.map(({ symbol }) => symbol)}></cs-result>` : nothing}
      ${stopDialog(state, (address) => this.use(address))}`;
  }

  private renderOther(state: RunState): TemplateResult {
    return html`${this.renderBanner()}
      <div class="run">${this.renderHead(state)} ${progressLine(state)} <section class="run-table" aria-label="Results">${isScan(state.run) ? this.renderScan(state) : otherRun(state)}</section></div>
      ${stopDialog(state, (address) => this.use(address))}`;
  }

  private renderScan(state: RunState): TemplateResult {
    const strategy = this.strategies.find(({ name }) => name === state.run.spec.strategy);
    return scanRun({ state, strategy, shown: this.saying, choose: (saying) => { this.saying = saying; } });
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
    const { spec } = state.run;
    const links = controlsOf(state);
    const isGenerated = [...state.rows.values()].some(({ generated }) => generated);
    const facts = isBacktest(state.run)
      ? [`${format.count(state.progress.total)} symbols`, spec.interval, `${format.utcDay(spec.start)} → ${format.utcDay(spec.end)}`, ...runText(state.run).split(" · ").filter(Boolean)]
      : runText(state.run).split(" · ");
    return html`<header class="run-head">
      <h1>${strategyTitle(state.run, this.strategies)}</h1>
      <p class="muted run-what">${facts.map((text, index) => html`${index > 0 ? " · " : ""}<span class="nowrap">${text}</span>`)}</p>
      ${isGenerated ? generatedMark() : nothing} ${statusMark(state.status)}
      <div class="run-controls">
        ${isBacktest(state.run) ? html`<details class="menu"><summary class="button">Settings</summary><dl class="menu-list run-settings">
          ${allSettings(spec).map(([title, value]) => html`<div><dt>${title}</dt><dd>${value}</dd></div>`)}</dl></details>` : nothing}
        ${links.pause ? html`<button class="button" @click=${() => this.use(links.pause!)}>Pause</button>` : nothing}
        ${links.resume ? html`<button class="button" @click=${() => this.use(links.resume!)}>Resume</button>` : nothing}
        ${links.stop ? html`<button class="button" @click=${() => this.askToStop()}>Stop</button>` : nothing}
        ${!hasEnded(state) && mayAsk()
          ? html`<button class="button" @click=${async () => { await askToNotify(); this.requestUpdate(); }}>Notify when done</button>` : nothing}
        ${links.retry ? html`<button class="button" @click=${() => this.retry(links.retry!)}>Retry failed</button>` : nothing}
        ${hasEnded(state) && (isBacktest(state.run) || isScan(state.run)) ? html`<a class="button" href="/?${toQuery(draftOf(spec, state.run.notify))}">${isScan(state.run) ? "Scan again" : "Run with changes"}</a>` : nothing}
      </div>
    </header>
    ${this.message ? html`<p class="notice notice-error" role="alert">${this.message}</p>` : nothing}`;
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

}

/** The links of a run are read again when its status changes; until they are here, those that no longer fit are left out. */
function controlsOf(state: RunState): { [verb in "pause" | "resume" | "stop" | "retry"]?: string | undefined } {
  const { pause, resume, stop, retry } = state.run.links;
  if (hasEnded(state)) return { retry };
  return state.status === "paused" ? { resume, stop } : { pause, stop };
}

customElements.define("cs-run", RunPage);

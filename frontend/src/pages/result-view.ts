/** One result: candles and fills, equity and drawdown, months, trades, every metric. Loaded when first needed. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";

import { ApiError, type CandleArrays, getCandles, getCurve, getResult } from "../api/client";
import type { ResultCurve, ResultDetail, Run, Trade } from "../api/types";
import "../charts/candle-chart";
import { type MonthlyReturns, buyAndHold, drawdowns, monthTable, monthlyReturns } from "../charts/curves";
import "../charts/equity-chart";
import { type Overlay, overlaysOf } from "../charts/overlays";
import { PageElement } from "../element";
import * as format from "../format";
import { generatedMark, hitMark, reusedMark, warningMark } from "../parts/marks";
import { navigate, resultPath, runPath } from "../router";
import type { Row } from "../run/state";
import { COLUMNS } from "../table/columns";
import { splitSymbol } from "../table/symbols";

const TRADES_SHOWN = 200;
const NO_CANDLES = { time_ms: [], open: [], high: [], low: [], close: [] };
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MORE_METRICS = [
  { id: "expectancy", title: "Expectancy", definition: "Mean profit of a closed trade, in quote currency.", write: format.money },
  { id: "sqn", title: "SQN", definition: "System quality number: √n · mean(profit) / standard deviation(profit).", write: (value: number | null) => format.number(value, 2) },
];

interface Points {
  times: readonly number[];
  equity: readonly number[];
  drawdown: readonly number[];
}

class ResultView extends PageElement {
  static override properties = {
    run: { attribute: false }, what: {}, symbol: {}, order: { attribute: false },
    detail: { state: true }, curve: { state: true }, candles: { state: true }, error: { state: true }, candleProblem: { state: true }, shownTrades: { state: true }, focusTrade: { state: true },
  };

  run!: Run;
  symbol = "";
  /** The run in a few words. */
  what = "";
  /** All symbols in the order of the table. */
  order: readonly string[] = [];
  detail: ResultDetail | null = null;
  /** The account at every bar; until it is here, and where candles are gone, the few points of `detail` stand for it. */
  curve: ResultCurve | null = null;
  candles: CandleArrays | null = null;
  error: ApiError | null = null;
  candleProblem = "";
  shownTrades = TRADES_SHOWN;
  focusTrade: Trade | null = null;

  private points: Points = { times: [], equity: [], drawdown: [] };
  private buyHold: readonly (number | null)[] = [];
  private overlays: readonly Overlay[] = [];
  private months: readonly MonthlyReturns[] = [];

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("keydown", this.onKey);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.onKey);
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("symbol")) void this.load(this.symbol);
    if (changed.has("detail") || changed.has("curve") || changed.has("candles")) this.workOut();
  }

  /** Everything that follows from what has been loaded so far. */
  private workOut(): void {
    const { detail, curve, candles, run: { spec } } = this;
    if (!detail) return;
    const { time_ms: times, value } = detail.equity;
    this.points = curve
      ? { times: curve.time_ms, equity: curve.equity, drawdown: curve.drawdown }
      : { times, equity: value, drawdown: drawdowns(value, spec.initial_cash) };
    this.months = monthTable(curve ? curve.monthly_returns : monthlyReturns(times, value, spec.initial_cash));
    this.buyHold = candles ? buyAndHold(this.points.times, candles.time_ms, candles.open, candles.close, spec.initial_cash) : [];
    this.overlays = candles ? overlaysOf(spec.strategy, spec.parameters, candles, curve?.warm_up ?? NO_CANDLES) : [];
  }

  protected override firstUpdated(): void {
    this.querySelector<HTMLElement>(".result-close")?.focus();
  }

  private async load(symbol: string): Promise<void> {
    this.error = null;
    this.candleProblem = "";
    this.focusTrade = null;
    this.shownTrades = TRADES_SHOWN;
    document.title = `${symbol} · Candlestream`;
    try {
      const detail = await getResult(this.run, symbol);
      if (!this.isWanted(symbol)) return;
      this.detail = detail;
      this.curve = this.candles = null;
      await Promise.all([this.loadCandles(symbol), this.loadCurve(symbol)]);
    } catch (error) {
      if (this.isWanted(symbol)) this.error = error instanceof ApiError ? error : new ApiError(0, String(error));
    }
  }

  /** Not when another one is looked at, nor when none is: a chart that is drawn after it was removed is never freed. */
  private isWanted(symbol: string): boolean {
    return this.isConnected && symbol === this.symbol;
  }

  private async loadCurve(symbol: string): Promise<void> {
    try {
      const curve = await getCurve(this.run, symbol);
      if (this.isWanted(symbol)) this.curve = curve;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // The points that came with the result stay, and say how many they are.
    }
  }

  private async loadCandles(symbol: string): Promise<void> {
    try {
      const candles = await getCandles(this.run, symbol);
      if (this.isWanted(symbol)) this.candles = candles;
    } catch (error) {
      // The result is there without them: its series may have been deleted, or its range is too long for a chart.
      if (this.isWanted(symbol)) this.candleProblem = error instanceof ApiError ? error.message : String(error);
    }
  }

  private readonly onKey = (key: KeyboardEvent): void => {
    if ((key.target as HTMLElement).closest("input, textarea, select, dialog") || key.ctrlKey || key.metaKey || key.altKey) return;
    if (key.key === "Escape") navigate(runPath(this.run.id));
    else if (key.key === "ArrowLeft") this.step(-1);
    else if (key.key === "ArrowRight") this.step(1);
    else return;
    key.preventDefault();
  };

  private neighbour(by: number): string | undefined {
    const at = this.order.indexOf(this.symbol);
    return at < 0 ? undefined : this.order[at + by];
  }

  private step(by: number): void {
    const symbol = this.neighbour(by);
    if (symbol) navigate(resultPath(this.run.id, symbol), { replace: true });
  }

  protected override render(): TemplateResult {
    return html`<section class="result" aria-label="Result of ${this.symbol}">
      ${this.renderHead()}
      ${this.error ? this.renderError(this.error) : this.detail ? this.renderDetail(this.detail) : html`<div class="skeleton grow" aria-busy="true"></div>`}
    </section>`;
  }

  private renderHead(): TemplateResult {
    const [base, quote] = splitSymbol(this.symbol);
    const at = this.order.indexOf(this.symbol);
    const detail = this.detail?.symbol === this.symbol ? this.detail : null;
    return html`<header class="result-head">
      <a class="button result-close" href=${runPath(this.run.id)} aria-label="Close, back to all results">
        <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true"><path d="m2 2 8 8M10 2l-8 8" stroke="currentColor" stroke-width="1.5" /></svg><span class="wide-only">All results</span></a>
      <h1><span class="truncate">${base}</span> <span class="quote">${quote}</span></h1>
      ${detail ? html`
        <b class=${toneOf(detail.metrics["total_return"])}>${format.signedPercent(detail.metrics["total_return"])}</b>
        ${detail.hit ? hitMark() : nothing}
        ${detail.generated ? generatedMark() : nothing}
        ${detail.warnings.length > 0 ? warningMark(detail.warnings) : nothing}
        ${detail.cached ? reusedMark() : nothing}
        ${detail.open_trade ? html`<span class="mark" title="A position was still open at the end; it is valued at the last close.">open trade</span>` : nothing}` : nothing}
      <span class="muted truncate grow"><span class="wide-only">${this.what}</span></span>
      ${at < 0 ? nothing : html`<span class="muted nowrap">${at + 1} of ${this.order.length}</span>`}
      <button class="button" aria-label="Previous result" ?disabled=${!this.neighbour(-1)} @click=${() => this.step(-1)}>←<span class="wide-only">Previous</span></button>
      <button class="button" aria-label="Next result" ?disabled=${!this.neighbour(1)} @click=${() => this.step(1)}><span class="wide-only">Next</span>→</button>
    </header>`;
  }

  private renderError(error: ApiError): TemplateResult {
    return html`<div class="empty" role="alert">
      <h2>${error.status === 404 ? `There is no result of ${this.symbol.slice(0, 40)} in this run` : "The result cannot be loaded"}</h2>
      <p>${error.status === 404 ? "It may have failed, or it is not done yet." : `${error.message} It is stored and safe.`}</p>
      ${error.status === 404 ? nothing : html`<button class="button" @click=${() => this.load(this.symbol)}>Try again</button>`}
    </div>`;
  }

  private renderDetail(detail: ResultDetail): TemplateResult {
    return html`
      ${this.curve?.candles_changed ? html`<p class="notice notice-warning">The candles have changed since this was computed. Its figures are as they were;
        the charts show its trades over the candles of now.</p>` : nothing}
      ${detail.warnings.length > 0 ? html`<ul class="notice notice-warning to-know" tabindex="0" aria-label="To know">${detail.warnings.map(({ message }) => html`<li>${message}</li>`)}</ul>` : nothing}
      <div class="result-body">
        <div class="result-charts ${this.candleProblem ? "without-candles" : ""}">
          ${this.candles ? html`<cs-candle-chart .candles=${this.candles} .trades=${detail.trades} .openTrade=${detail.open_trade} .overlays=${this.overlays} .focusTrade=${this.focusTrade}></cs-candle-chart>`
            : this.candleProblem ? html`<p class="notice notice-warning">No candles to draw: ${this.candleProblem}</p>` : html`<div class="skeleton candle-place" aria-busy="true"></div>`}
          <cs-equity-chart .times=${this.points.times} .equity=${this.points.equity} .drawdown=${this.points.drawdown} .buyHold=${this.buyHold}
            label="Equity${this.buyHold.length > 0 ? " against buy and hold" : ""}, and drawdown, of ${this.symbol}"></cs-equity-chart>
        </div>
        <div class="result-facts" tabindex="0" role="region" aria-label="Figures and trades">
          ${this.renderMetrics(detail)} ${this.renderMonths()} ${this.renderTrades(detail)}
        </div>
      </div>`;
  }

  private renderMetrics(detail: ResultDetail): TemplateResult {
    const row: Row = { ...detail, elapsedMs: detail.elapsed_ms, hit: detail.hit ?? null, isNew: false };
    const { candles } = detail;
    return html`<section><h2>Metrics</h2><dl class="metrics">
      ${COLUMNS.map((column) => html`<div title=${column.definition}>
        <dt>${column.title}${column.unit ? html`, ${column.unit}` : nothing}</dt>
        <dd class=${column.hasTone ? toneOf(column.value(row)) : ""}>${column.text(row)}</dd></div>`)}
      ${MORE_METRICS.filter(({ id }) => id in detail.metrics).map(({ id, title, definition, write }) => html`
        <div title=${definition}><dt>${title}</dt><dd>${write(detail.metrics[id] ?? null)}</dd></div>`)}
      <div title="Candles in the range, and how many are missing between them"><dt>Candles</dt><dd>${format.count(candles.count)}</dd></div>
      <div title="${candles.gap_count} gaps"><dt>Missing</dt><dd>${format.count(candles.missing_count)} in ${format.count(candles.gap_count)} ${candles.gap_count === 1 ? "gap" : "gaps"}</dd></div>
    </dl></section>`;
  }

  private renderMonths(): TemplateResult | typeof nothing {
    if (this.months.length === 0) return nothing;
    return html`<section><h2>Monthly returns <span class="muted">%${this.curve ? ", UTC" : `, by ${format.count(this.points.times.length)} points of the curve`}</span></h2>
      <div class="scroll-x" tabindex="0" role="region" aria-label="Monthly returns"><table class="months">
        <thead><tr><th scope="col"><span class="visually-hidden">Year</span></th>${MONTHS.map((month) => html`<th scope="col">${month}</th>`)}<th scope="col">Year</th></tr></thead>
        <tbody>${this.months.map(({ year, months, total }) => html`<tr><th scope="row">${year}</th>
          ${[...months, total].map((value, index) => html`<td class="${toneOf(value)} ${tintOf(value)} ${index === 12 ? "year-total" : ""}">${monthText(value)}</td>`)}</tr>`)}
        </tbody></table></div></section>`;
  }

  private renderTrades({ trades }: ResultDetail): TemplateResult {
    const shown = trades.slice(0, this.shownTrades);
    return html`<section><h2>Trades <span class="muted">${format.count(trades.length)}, times in UTC</span></h2>
      ${trades.length === 0 ? html`<p class="muted">The strategy closed no trade in this range.</p>` : html`
        <div class="scroll-x" tabindex="0" role="region" aria-label="Trades"><table class="trades">
          <thead><tr><th scope="col">Entry</th><th scope="col">Exit</th><th scope="col" class="number">Return %</th><th scope="col" class="number">Profit</th>
            <th scope="col" class="number">In</th><th scope="col" class="number">Out</th><th scope="col" class="number">Bars</th><th scope="col">Reason</th></tr></thead>
          <tbody>${shown.map((trade) => html`<tr class=${trade === this.focusTrade ? "chosen" : ""} @click=${() => { this.focusTrade = trade; }}>
            <td><span class="side muted" title=${trade.side}>${trade.side === "short" ? "▼" : "▲"}<span class="visually-hidden"> ${trade.side} </span></span>${
              this.candles ? html`<button class="button-link" title="Show in the chart">${format.utcMinute(trade.entry_time)}</button>` : format.utcMinute(trade.entry_time)}</td>
            <td title="${format.utcMinute(trade.exit_time)} UTC">${exitText(trade)}</td>
            <td class="number ${toneOf(trade.return)}">${format.signedPercentPoints(trade.return, 2)}</td><td class="number">${format.signed(trade.pnl, 2)}</td>
            <td class="number">${format.price(trade.entry_price)}</td><td class="number">${format.price(trade.exit_price)}</td><td class="number">${format.count(trade.bars_held)}</td>
            <td>${trade.exit_reason.replaceAll("_", " ")}</td></tr>`)}
          </tbody></table></div>
        ${trades.length > shown.length ? html`<button class="button more" @click=${() => { this.shownTrades += 1000; }}>Show more of ${format.count(trades.length)} trades</button>` : nothing}`}
    </section>`;
  }
}

/** Whole percents but for small ones, for want of room. */
function monthText(value: number | null): string {
  return value === null ? "" : format.signedPercentPoints(value, Math.abs(value) < 0.0995 ? 1 : 0);
}

/** Without the year where it is the entry's, else the day alone. */
function exitText({ entry_time, exit_time }: Trade): string {
  const text = format.utcMinute(exit_time);
  return entry_time.slice(0, 4) === exit_time.slice(0, 4) ? text.slice(5) : text.slice(0, 10);
}

/** How strongly a month stands out: by 5 and by 20 %. */
function tintOf(value: number | null): string {
  if (value === null || Math.abs(value) < 0.05) return "";
  return Math.abs(value) < 0.2 ? "tint" : "tint tint-strong";
}

function toneOf(value: number | null | undefined): string {
  return !value ? "" : value > 0 ? "gain" : "loss";
}

customElements.define("cs-result", ResultView);

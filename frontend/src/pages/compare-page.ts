/** Two to four runs side by side. */

import { html, nothing, type TemplateResult } from "lit";

import { ApiError, getResults, getRun } from "../api/client";
import type { Run, Strategy } from "../api/types";
import { PageElement } from "../element";
import * as format from "../format";
import { statusMark } from "../parts/marks";
import { resultPath, runPath } from "../router";
import { type Compared, bySymbol, differences } from "../run/comparison";
import { type Row, fromSnapshot } from "../run/state";
import { type Statistics, statistics } from "../run/statistics";
import { parameterText, strategies, strategyTitle } from "../run/strategies";

export const MOST_COMPARED = 4;

class ComparePage extends PageElement {
  static override properties = { compared: { state: true }, error: { state: true }, known: { state: true } };

  compared: Compared[] | null = null;
  error = "";
  known: Strategy[] = [];

  override connectedCallback(): void {
    super.connectedCallback();
    document.title = "Compare runs · Candlestream";
    strategies().then((known) => { this.known = known; }, () => undefined);
    void this.load();
  }

  private async load(): Promise<void> {
    const ids = new URLSearchParams(location.search).get("runs")?.split(",").filter(Boolean).slice(0, MOST_COMPARED) ?? [];
    this.error = "";
    try {
      this.compared = await Promise.all(ids.map(async (id) => {
        const run = await getRun(id);
        return { run, results: await getResults(run) };
      }));
    } catch (error) {
      this.error = error instanceof ApiError && error.status === 404 ? "One of the runs is not here: it was deleted, or it belongs to somebody else." : String((error as Error).message);
    }
  }

  protected override render(): TemplateResult {
    if (this.error) {
      return html`<div class="empty" role="alert"><h1>The runs cannot be compared</h1><p>${this.error}</p><a class="button" href="/runs/">See all runs</a></div>`;
    }
    if (!this.compared) return html`<div class="page" aria-busy="true"><div class="page-title"><h1>Compare runs</h1></div><div class="skeleton" .style=${"height:320px"}></div></div>`;
    if (this.compared.length < 2) {
      return html`<div class="empty"><h1>Choose two to four runs</h1><p>Tick them in the list of runs, then compare.</p><a class="button" href="/runs/">See all runs</a></div>`;
    }
    return this.renderComparison(this.compared);
  }

  private renderComparison(compared: readonly Compared[]): TemplateResult {
    const runs = compared.map(({ run }) => run);
    const figures = compared.map(({ run, results }) => statistics(fromSnapshot(run, results).rows.values()));
    return html`<div class="page">
      <div class="page-title"><h1>Compare runs</h1></div>
      <div class="table-frame" tabindex="0" role="region" aria-label="Runs side by side"><table class="results plain compare" .style=${`--runs:${runs.length}`}>
        <thead><tr><td></td>${runs.map((run) => this.renderRunHead(run))}</tr></thead>
        <tbody>
          ${this.renderFigures(figures)}
          ${differences(runs, runs.map((run) => strategyTitle(run, this.known))).map(({ title, values }) => html`<tr><th scope="row" class="muted">${title}</th>${values.map((value) => html`<td class="number">${value}</td>`)}</tr>`)}
        </tbody>
      </table></div>
      <h2 class="section-title">By symbol <span class="muted">return in %, those that the runs disagree on most first</span></h2>
      <div class="table-frame" tabindex="0" role="region" aria-label="Returns by symbol"><table class="results plain compare with-spread" .style=${`--runs:${runs.length}`}>
        <thead><tr><th scope="col">Symbol</th>${runs.map((run, index) => html`<th scope="col" class="number">${index + 1}. ${strategyTitle(run, this.known)}</th>`)}<th scope="col" class="number spread">Spread</th></tr></thead>
        <tbody>${bySymbol(compared).map(({ symbol, returns, spread }) => html`<tr>
          <th scope="row">${symbol}</th>
          ${returns.map((value, index) => html`<td class="number ${toneOf(value)}">${value === null ? format.NONE : html`<a href=${resultPath(runs[index]!.id, symbol)}>${format.signedPercentPoints(value)}</a>`}</td>`)}
          <td class="number spread">${format.percentPoints(spread)}</td></tr>`)}
        </tbody>
      </table></div>
    </div>`;
  }

  private renderRunHead(run: Run): TemplateResult {
    return html`<th scope="col" class="number"><a class="run-head-link" href=${runPath(run.id)}>${strategyTitle(run, this.known)}</a> ${statusMark(run.status)}<span class="muted">${parameterText(run.spec.parameters)}</span></th>`;
  }

  private renderFigures(figures: readonly Statistics[]): TemplateResult[] {
    const row = (title: string, write: (one: Statistics) => TemplateResult | string, best?: (one: Statistics) => number | null) => {
      const values = best ? figures.map((one) => best(one) ?? -Infinity) : [];
      const highest = Math.max(...values);
      const isShared = values.filter((value) => value === highest).length > 1;
      return html`<tr><th scope="row" class="muted">${title}</th>${figures.map((one, index) => html`<td class="number">${
        best && values[index] === highest && !isShared ? html`<span class="mark mark-gain">best</span> ` : nothing}${write(one)}</td>`)}</tr>`;
    };
    return [
      row("Results", ({ count }) => format.count(count)),
      row("Median return", ({ median }) => html`<span class=${toneOf(median)}>${format.signedPercent(median)}</span>`, ({ median }) => median),
      row("Mean return", ({ mean }) => html`<span class=${toneOf(mean)}>${format.signedPercent(mean)}</span>`, ({ mean }) => mean),
      row("Median buy and hold", ({ medianBuyHold }) => format.signedPercent(medianBuyHold)),
      row("Positive", ({ positive, count }) => `${format.count(positive)} of ${format.count(count)}`, ({ positive, count }) => (count > 0 ? positive / count : null)),
      row("Best", ({ best }) => extreme(best)),
      row("Worst", ({ worst }) => extreme(worst)),
    ];
  }
}

function extreme(row: Row | null): TemplateResult | string {
  return row ? html`${row.symbol} <span class="nowrap">${format.signedPercent(row.metrics["total_return"])}</span>` : format.NONE;
}

function toneOf(value: number | null): string {
  return !value ? "" : value > 0 ? "gain" : "loss";
}

customElements.define("cs-compare", ComparePage);

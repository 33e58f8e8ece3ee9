/** Scans that the user saved: started by a click, or whenever there are new candles. */

import { html, nothing, type TemplateResult } from "lit";

import { ApiError, changeScan, deleteScan, getRun, getSavedScans, runScan } from "../api/client";
import type { BacktestSpec, Run, SavedScan, Strategy } from "../api/types";
import { PageElement } from "../element";
import { draftOf, toQuery } from "../form/draft";
import * as format from "../format";
import { statusMark } from "../parts/marks";
import { navigate, runPath } from "../router";
import { parameterText, strategies, strategyTitle } from "../run/strategies";

class ScansPage extends PageElement {
  static override properties = { scans: { state: true }, lastRuns: { state: true }, error: { state: true }, known: { state: true } };

  scans: readonly SavedScan[] | null = null;
  /** The latest run of each, by its id. */
  lastRuns: ReadonlyMap<string, Run> = new Map();
  error = "";
  known: readonly Strategy[] = [];

  override connectedCallback(): void {
    super.connectedCallback();
    document.title = "Saved scans · Candlestream";
    strategies().then((known) => { this.known = known; }, () => undefined);
    void this.load();
  }

  private async load(): Promise<void> {
    await this.tell(async () => {
      this.scans = (await getSavedScans()).results;
      const ids = this.scans.flatMap(({ last_run }) => (last_run ? [last_run] : []));
      const runs = await Promise.all(ids.map((id) => getRun(id).catch(() => null))); // one may have been deleted
      this.lastRuns = new Map(runs.flatMap((run) => (run ? [[run.id, run] as const] : [])));
    });
  }

  /** Do something, and show what goes wrong. */
  private async tell(work: () => Promise<unknown>): Promise<void> {
    try {
      this.error = "";
      await work();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.error = Object.values(error.fields).flat().join(" ") || error.message;
    }
  }

  private start(scan: SavedScan): Promise<void> {
    return this.tell(async () => navigate(runPath((await runScan(scan)).id)));
  }

  private change(scan: SavedScan, onNewCandles: boolean): Promise<void> {
    return this.tell(async () => {
      const changed = await changeScan(scan, { on_new_candles: onNewCandles, enabled: true });
      this.scans = this.scans?.map((one) => (one.id === scan.id ? changed : one)) ?? null;
    });
  }

  private delete(scan: SavedScan): Promise<void> {
    return this.tell(async () => {
      await deleteScan(scan);
      this.scans = this.scans?.filter(({ id }) => id !== scan.id) ?? null;
    });
  }

  protected override render(): TemplateResult {
    return html`<div class="page">
      <div class="page-title"><h1>Saved scans</h1><span class="grow"></span><a class="button button-primary" href="/?task=scan">New scan</a></div>
      ${this.error ? html`<p class="notice notice-error" role="alert">${this.error}</p>` : nothing}
      ${this.scans ? (this.scans.length === 0 ? empty() : this.renderTable(this.scans)) : this.error ? nothing : html`<div class="skeleton" .style=${"height:200px"} aria-busy="true"></div>`}
    </div>`;
  }

  private renderTable(scans: readonly SavedScan[]): TemplateResult {
    return html`<div class="table-frame" tabindex="0" role="region" aria-label="Saved scans"><table class="results plain runs saved-scans">
      <thead><tr><th scope="col">Name</th><th scope="col" class="wide-only">Asks</th><th scope="col">Latest</th><th scope="col">On new candles</th><td></td></tr></thead>
      <tbody>${scans.map((scan) => this.renderScan(scan))}</tbody>
    </table></div>`;
  }

  private renderScan(scan: SavedScan): TemplateResult {
    const spec = scan.request as unknown as BacktestSpec;
    const title = strategyTitle({ kind: "backtest", spec } as Run, this.known);
    const asks = [title, spec.interval, spec.parameters && parameterText(spec.parameters)].filter(Boolean).join(" · ");
    const isOn = scan.on_new_candles && scan.enabled;
    return html`<tr>
      <th scope="row"><b>${scan.name}</b>${scan.error ? html`<span class="mark mark-loss" title=${scan.error}>failed<span class="visually-hidden">: ${scan.error}</span></span>` : nothing}</th>
      <td class="wide-only asks muted" title=${asks}>${asks}</td>
      <td>${this.renderLast(scan)}</td>
      <td><label class="choices"><input type="checkbox" .checked=${isOn} aria-label="Start ${scan.name} on new candles"
        @change=${(change: Event) => this.change(scan, (change.target as HTMLInputElement).checked)}></label></td>
      <td class="row-actions">
        <button class="button button-plain" aria-label="Scan now, ${scan.name}" @click=${() => this.start(scan)}>Scan now</button>
        <a class="button button-plain wide-only" href="/?${toQuery({ ...draftOf({ within_bars: 1, ...spec, parameters: spec.parameters ?? {}, symbols: spec.symbols ?? "all" }), task: "scan" })}" aria-label="Edit a copy of ${scan.name}">Edit a copy</a>
        <button class="button button-plain delete" aria-label="Delete ${scan.name}" @click=${() => this.delete(scan)}>Delete</button>
      </td>
    </tr>`;
  }

  private renderLast({ last_run: id }: SavedScan): TemplateResult {
    const run = id ? this.lastRuns.get(id) : undefined;
    if (!run) return html`<span class="muted">${id ? format.NONE : "not yet"}</span>`;
    return html`<a href=${runPath(run.id)}><time datetime=${run.created_at} title=${format.utcSecond(run.created_at)}>${format.localMinute(run.created_at)}</time></a>
      ${run.status === "completed" ? html`<span class="muted nowrap">${format.count(run.hits)} ${run.hits === 1 ? "hit" : "hits"}</span>` : statusMark(run.status)}`;
  }
}

const empty = (): TemplateResult => html`<div class="empty"><h2>No saved scans yet</h2>
  <p>A scan says what a strategy would do now. Saved, it can start by itself whenever there are new candles.</p>
  <a class="button" href="/?task=scan">Set up a scan</a></div>`;

customElements.define("cs-scans", ScansPage);

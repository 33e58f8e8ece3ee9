/** An import or a download under way, as a line of the Data page: progress, control, and what it has brought. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";

import { ApiError, control, storeUpload } from "../api/client";
import type { Imported, ImportSpec, Run } from "../api/types";
import { PageElement } from "../element";
import * as format from "../format";
import { runPath } from "../router";
import { type RunState, hasEnded, shareDone } from "../run/state";
import { runText } from "../run/strategies";
import { RunWatcher } from "../run/watcher";
import { warningMark } from "./marks";

const MOST_NAMED = 5;

class Transfer extends PageElement {
  static override properties = { run: {}, message: { state: true } };

  run!: Run;
  message = "";
  private readonly watcher = new RunWatcher(this, () => this.dispatchEvent(new Event("ended")));

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("run")) this.watcher.watch(this.run.id);
  }

  private async use(address: string): Promise<void> {
    this.message = "";
    try {
      await control(address);
    } catch (error) {
      this.message = error instanceof ApiError ? error.message : String(error);
    }
  }

  /** Import for good what has only been looked at. */
  private async store(): Promise<void> {
    try {
      this.run = await storeUpload(this.run.spec as unknown as ImportSpec);
    } catch (error) {
      this.message = error instanceof ApiError ? Object.values(error.fields).flat().join(" ") || error.message : String(error);
    }
  }

  protected override render(): TemplateResult {
    const { state, error } = this.watcher;
    const isImport = this.run.kind === "import";
    const name = isImport ? (this.run.spec as unknown as ImportSpec).file : `${format.sentence(this.run.kind)} · ${runText(this.run)}`;
    return html`<div class="transfer-head"><a href=${runPath(this.run.id)}>${name}</a><span class="grow"></span>${state ? this.renderControls(state) : nothing}</div>
      ${error && !state ? html`<p class="field-error">${error.message}</p>` : state ? (hasEnded(state) ? this.renderEnd(state, isImport) : this.renderProgress(state, name)) : html`<progress aria-label="Progress of ${name}"></progress>`}
      ${this.message ? html`<p class="field-error" role="alert">${this.message}</p>` : nothing}`;
  }

  private renderControls({ run, status }: RunState): TemplateResult {
    const { pause, resume, stop } = run.links;
    return html`${pause && status === "running" ? html`<button class="button button-plain" @click=${() => this.use(pause)}>Pause</button>` : nothing}
      ${resume && status === "paused" ? html`<button class="button button-plain" @click=${() => this.use(resume)}>Resume</button>` : nothing}
      ${stop && !hasEnded({ status }) ? html`<button class="button button-plain" @click=${() => this.use(stop)}>Stop</button>` : nothing}`;
  }

  private renderProgress(state: RunState, name: string): TemplateResult {
    const { progress, advances, status } = state;
    const share = shareDone(state);
    const busy = [...advances].slice(0, MOST_NAMED);
    const doing = busy.map(([key, { share: part, step }]) => `${step ?? key} ${format.percent(part, 0)}`);
    const counted = progress.total > 1 ? `${format.count(progress.completed)} of ${format.count(progress.total)}` : "";
    const what = status === "paused" ? "paused" : doing.join(" · ") || (progress.completed === 0 ? "waiting for a worker" : "");
    return html`<progress max="1" .value=${share} aria-label="Progress of ${name}"></progress>
      <span class="muted">${[format.percent(share, 0), counted, what].filter(Boolean).join(" · ")}</span>`;
  }

  private renderEnd(state: RunState, isImport: boolean): TemplateResult {
    const failures = [...state.failures];
    return html`${failures.slice(0, MOST_NAMED).map(([key, reason]) => html`<p class="field-error" role="alert">${isImport ? nothing : `${key}: `}${reason}</p>`)}
      ${failures.length > MOST_NAMED ? html`<p class="muted">${format.count(failures.length - MOST_NAMED)} more failed.</p>` : nothing}
      ${state.status === "stopped" ? html`<p class="muted">Stopped. Candles that have been stored by then stay.</p>` : nothing}
      ${isImport ? [...state.outcomes.values()].map((outcome) => this.renderFound(outcome)) : renderAdded(state)}`;
  }

  private renderFound(outcome: Readonly<Record<string, unknown>>): TemplateResult {
    const found = outcome["found"] as Imported[];
    const more = Number(outcome["symbol_count"]) - found.length;
    return html`<p>${found.map(({ symbol, interval, candle_count, warnings }) => html`<span class="nowrap">${symbol} ${interval}: ${format.count(candle_count)} candles</span>
        ${warnings.length > 0 ? warningMark(warnings) : nothing} `)}${more > 0 ? html`and ${format.count(more)} more` : nothing}</p>
      ${outcome["dry_run"] ? html`<dl class="found">${found.slice(0, MOST_NAMED).map(renderRecognised)}</dl>
        <p><button class="button" @click=${() => this.store()}>Store these candles</button> <span class="muted">Nothing is stored yet.</span></p>` : nothing}`;
  }
}

function renderRecognised({ symbol, layout, columns, times, first_open, last_open, repairs }: Imported): TemplateResult {
  const names = Object.entries(columns).map(([field, name]) => `${field} = ${name}`).join(", ");
  const repaired = Object.entries(repairs).map(([rule, rows]) => `${rule} ${format.count(rows)}`).join(", ");
  return html`<dt>${symbol}</dt><dd>${layout} layout, times as ${times}; ${names}. ${format.utcMinute(first_open)} to ${format.utcMinute(last_open)}${repaired ? `; rows ${repaired}` : ""}.</dd>`;
}

function renderAdded({ outcomes, progress }: RunState): TemplateResult {
  const added = [...outcomes.values()].reduce((sum, outcome) => sum + Number(outcome["added_count"] ?? 0), 0);
  return html`<p>${format.count(added)} candles added, ${format.count(progress.succeeded)} of ${format.count(progress.total)} symbols up to date.</p>`;
}

customElements.define("cs-transfer", Transfer);

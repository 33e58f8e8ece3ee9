/** Ways to more candles: files from this computer, and downloads from exchanges. Shown to those who may use them. */

import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { ApiError, getRuns, startDownload, upload } from "../api/client";
import type { Run } from "../api/types";
import { PageElement } from "../element";
import * as format from "../format";
import "./transfer";

const EXCHANGES = ["binance", "bybit", "coinbase", "kraken", "okx", "kucoin", "gateio", "bitstamp"];
const INTERVALS = ["1m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "1w"];

/** A file on its way to the server; when it is there, a run takes its place. */
interface Sending {
  name: string;
  share: number;
  error: string;
}

class MoreData extends PageElement {
  static override properties = {
    sending: { state: true }, runs: { state: true }, said: { state: true }, looksFirst: { state: true }, isStarting: { state: true }, errors: { state: true },
  };

  sending: readonly Sending[] = [];
  /** Imports and downloads that were under way when the page was opened, or have been started on it; newest first. */
  runs: readonly Run[] = [];
  /** What the user says about files, instead of leaving it to be recognised. */
  said: Readonly<Record<string, string>> = {};
  looksFirst = false;
  isStarting = false;
  errors: Record<string, string> = {};

  override connectedCallback(): void {
    super.connectedCallback();
    for (const kind of ["import", "download"]) void this.readActive(kind);
  }

  private async readActive(kind: string): Promise<void> {
    try {
      const { results } = await getRuns(new URLSearchParams({ kind, status: "active" }));
      const known = new Set(this.runs.map(({ id }) => id));
      this.runs = [...this.runs, ...results.filter(({ id }) => !known.has(id))];
    } catch {
      // What is under way is also on the page of runs; here it is an extra.
    }
  }

  /** Show a run that has been started here; the list of those under way may have named it already. */
  private show(run: Run): void {
    this.runs = [run, ...this.runs.filter(({ id }) => id !== run.id)];
  }

  private async send(files: readonly File[]): Promise<void> {
    for (const file of files) {
      const sending: Sending = { name: file.name, share: 0, error: "" };
      this.sending = [sending, ...this.sending];
      try {
        const run = await upload(file, { ...this.said, dry_run: this.looksFirst ? "true" : "" }, (share) => {
          sending.share = share;
          this.requestUpdate();
        });
        this.sending = this.sending.filter((one) => one !== sending);
        this.show(run);
      } catch (error) {
        sending.error = messageOf(error);
        this.requestUpdate();
      }
    }
  }

  private async download(submit: SubmitEvent): Promise<void> {
    submit.preventDefault();
    const form = new FormData(submit.target as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    const symbols = text("symbols").toUpperCase().split(/[\s,]+/).filter(Boolean);
    const wanted = symbols.length > 0 ? { symbols } : { top: Number(text("top")), quote: text("quote").toUpperCase() };
    this.isStarting = true;
    this.errors = {};
    try {
      const start = text("start");
      const run = await startDownload({ exchange: text("exchange"), interval: text("interval"), ...(start ? { start: `${start}T00:00:00Z` } : {}), ...wanted });
      this.show(run);
    } catch (error) {
      const fields = error instanceof ApiError ? error.fields : {};
      this.errors = Object.fromEntries(Object.entries(fields).map(([name, messages]) => [name, messages.join(" ")]));
      if (Object.keys(this.errors).length === 0) this.errors = { form: messageOf(error) };
    } finally {
      this.isStarting = false;
    }
  }

  protected override render(): TemplateResult {
    return html`<ul class="transfers" aria-live="polite">
      ${this.sending.map((sending) => this.renderSending(sending))}
      ${repeat(this.runs, ({ id }) => id, (run) => html`<li><cs-transfer .run=${run} @ended=${() => this.dispatchEvent(new Event("changed"))}></cs-transfer></li>`)}</ul>
    <div class="more-data">
      <section><h2>Import files</h2>
        <p class="muted">Parquet, CSV (also zipped), Feather or JSON. Names and columns are recognised; what breaks the rules of candles is refused with its row.</p>
        ${this.sayable("source", "Source", "files")}
        <details><summary>Say what is recognised wrongly</summary><div class="sayable">
          ${this.sayable("symbol", "Symbol", "as in the name or a column")}
          <div class="field"><label for="upload-interval">Interval of the candles</label>
            <select id="upload-interval" @change=${(change: Event) => this.say("interval", (change.target as HTMLSelectElement).value)}>
              <option value="">as recognised</option>${INTERVALS.map((one) => html`<option>${one}</option>`)}</select></div>
          ${this.sayable("columns", "Columns", "time=Date,volume=Volume BTC")}
        </div></details>
        <label class="choices"><input type="checkbox" .checked=${this.looksFirst} @change=${(change: Event) => { this.looksFirst = (change.target as HTMLInputElement).checked; }}>
          Show what is recognised before anything is stored</label>
        <label class="drop" @dragover=${(drag: Event) => drag.preventDefault()} @drop=${(drop: DragEvent) => { drop.preventDefault(); void this.send([...(drop.dataTransfer?.files ?? [])]); }}>
          <input type="file" multiple accept=".parquet,.csv,.gz,.zip,.feather,.json" @change=${(change: Event) => {
            const input = change.target as HTMLInputElement;
            void this.send([...(input.files ?? [])]);
            input.value = "";
          }}>
          Choose files, or drop them here
        </label>
      </section>
      <section><h2>Download from an exchange</h2>
        <form novalidate @submit=${this.download}>
          ${this.field("exchange", "Exchange", html`<input class="input" id="download-exchange" name="exchange" list="exchanges" value="binance" autocomplete="off">`)}
          <datalist id="exchanges">${EXCHANGES.map((name) => html`<option value=${name}></option>`)}</datalist>
          ${this.field("interval", "Interval", html`<select id="download-interval" name="interval">${INTERVALS.map((one) => html`<option ?selected=${one === "1h"}>${one}</option>`)}</select>`)}
          ${this.field("symbols", "Symbols, or none for the most traded", html`<input class="input" id="download-symbols" name="symbols" placeholder="BTCUSDT, ETHUSDT" autocomplete="off">`)}
          ${this.field("top", "How many of the most traded", html`<input class="input" id="download-top" name="top" inputmode="numeric" value="20" autocomplete="off">`)}
          ${this.field("quote", "priced in", html`<input class="input" id="download-quote" name="quote" value="USDT" autocomplete="off">`)}
          ${this.field("start", "From, UTC", html`<input class="input" id="download-start" name="start" type="date">`)}
          ${this.errors["form"] ? html`<p class="field-error" role="alert">${this.errors["form"]}</p>` : nothing}
          <button class="button" ?disabled=${this.isStarting}>${this.isStarting ? "Starting…" : "Start download"}</button>
        </form>
      </section>
    </div>`;
  }

  private say(name: string, value: string): void {
    this.said = { ...this.said, [name]: name === "symbol" ? value.trim().toUpperCase() : value.trim() };
  }

  private sayable(name: string, title: string, placeholder: string): TemplateResult {
    return html`<div class="field"><label for="upload-${name}">${title}</label>
      <input class="input" id="upload-${name}" maxlength="200" placeholder=${placeholder} autocomplete="off" .value=${this.said[name] ?? ""}
        @input=${(input: Event) => this.say(name, (input.target as HTMLInputElement).value)}></div>`;
  }

  private field(name: string, title: string, input: TemplateResult): TemplateResult {
    const error = this.errors[name];
    return html`<div class="field"><label for="download-${name}">${title}</label>${input}${error ? html`<p class="field-error" role="alert">${error}</p>` : nothing}</div>`;
  }

  private renderSending({ name, share, error }: Sending): TemplateResult {
    return html`<li><b>${name}</b>
      ${error ? html`<p class="field-error" role="alert">${error}</p>`
        : html`<progress max="1" .value=${share} aria-label="Upload of ${name}"></progress><span class="muted">${share < 1 ? `${format.percent(share, 0)} sent` : "being kept for the workers"}</span>`}
    </li>`;
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof ApiError)) return String(error);
  if (error.status === 403) return "Only staff may add candles: they are everyone's.";
  return Object.values(error.fields).flat().join(" ") || error.message;
}

customElements.define("cs-more-data", MoreData);

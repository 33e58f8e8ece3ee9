/** Ways to more candles: files from this computer, and downloads from exchanges. Shown to those who may use them. */

import { html, nothing, type TemplateResult } from "lit";

import { ApiError, startDownload, upload } from "../api/client";
import type { Imported } from "../api/types";
import { PageElement } from "../element";
import * as format from "../format";
import { navigate } from "../router";
import { warningMark } from "./marks";

const EXCHANGES = ["binance", "bybit", "coinbase", "kraken", "okx", "kucoin", "gateio", "bitstamp"];
const INTERVALS = ["1m", "5m", "15m", "30m", "1h", "4h", "1d"];

interface Transfer {
  name: string;
  /** 0 to 1 while it is on its way, then the server works on it. */
  share: number;
  found: Imported[] | null;
  error: string;
}

class MoreData extends PageElement {
  static override properties = { transfers: { state: true }, source: { state: true }, isStarting: { state: true }, errors: { state: true } };

  transfers: Transfer[] = [];
  source = "";
  isStarting = false;
  errors: Record<string, string> = {};

  private async send(files: readonly File[]): Promise<void> {
    for (const file of files) {
      const transfer: Transfer = { name: file.name, share: 0, found: null, error: "" };
      this.transfers = [transfer, ...this.transfers];
      try {
        transfer.found = await upload(file, this.source.trim(), (share) => {
          transfer.share = share;
          this.requestUpdate();
        });
        this.dispatchEvent(new Event("imported"));
      } catch (error) {
        transfer.error = messageOf(error);
      }
      this.requestUpdate();
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
      navigate(`/runs/${run.id}/`);
    } catch (error) {
      const fields = error instanceof ApiError ? error.fields : {};
      this.errors = Object.fromEntries(Object.entries(fields).map(([name, messages]) => [name, messages.join(" ")]));
      if (Object.keys(this.errors).length === 0) this.errors = { form: messageOf(error) };
    } finally {
      this.isStarting = false;
    }
  }

  protected override render(): TemplateResult {
    return html`<div class="more-data">
      <section><h2>Import files</h2>
        <p class="muted">Parquet, CSV (also zipped), Feather or JSON. Names and columns are recognised; what breaks the rules of candles is refused with its row.</p>
        <div class="field"><label for="upload-source">Source</label>
          <input class="input" id="upload-source" maxlength="40" placeholder="files" autocomplete="off" .value=${this.source} @input=${(input: Event) => { this.source = (input.target as HTMLInputElement).value; }}></div>
        <label class="drop" @dragover=${(drag: Event) => drag.preventDefault()} @drop=${(drop: DragEvent) => { drop.preventDefault(); void this.send([...(drop.dataTransfer?.files ?? [])]); }}>
          <input type="file" multiple accept=".parquet,.csv,.gz,.zip,.feather,.json" @change=${(change: Event) => {
            const input = change.target as HTMLInputElement;
            void this.send([...(input.files ?? [])]);
            input.value = "";
          }}>
          Choose files, or drop them here
        </label>
        <ul class="transfers" aria-live="polite">${this.transfers.map((transfer) => this.renderTransfer(transfer))}</ul>
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

  private field(name: string, title: string, input: TemplateResult): TemplateResult {
    const error = this.errors[name];
    return html`<div class="field"><label for="download-${name}">${title}</label>${input}${error ? html`<p class="field-error" role="alert">${error}</p>` : nothing}</div>`;
  }

  private renderTransfer({ name, share, found, error }: Transfer): TemplateResult {
    return html`<li>
      <span class="truncate">${name}</span>
      ${error ? html`<p class="field-error">${error}</p>`
        : found ? html`<p>${found.map(({ symbol, interval, candle_count, warnings }) => html`<span class="nowrap">${symbol} ${interval}: ${format.count(candle_count)} candles</span>
            ${warnings.length > 0 ? warningMark(warnings) : nothing} `)}</p>`
        : html`<progress max="1" .value=${share} aria-label="Upload of ${name}"></progress><span class="muted">${share < 1 ? format.percent(share) : "being checked and stored"}</span>`}
    </li>`;
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof ApiError)) return String(error);
  if (error.status === 403) return "Only staff may add candles: they are everyone's.";
  return Object.values(error.fields).flat().join(" ") || error.message;
}

customElements.define("cs-more-data", MoreData);

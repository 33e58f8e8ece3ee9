/** The form of a new run. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";

import { ApiError, getCryptocurrencies, startBacktest } from "../api/client";
import type { Strategy } from "../api/types";
import { PageElement } from "../element";
import { COST_FIELDS, type Draft, EMPTY_DRAFT, END_FIELDS, type EndKey, type Errors, fitted, fromQuery, specOf, toQuery } from "../form/draft";
import { placed } from "../form/errors";
import { type Field, fieldsOf } from "../form/fields";
import { type Listing, type Market, candlesInRange, marketsOf, quickRanges, withCoarser } from "../form/market";
import * as format from "../format";
import { fieldRow, numberInput } from "../parts/fields";
import { generatedMark } from "../parts/marks";
import "../parts/presets";
import "../parts/symbol-choice";
import { navigate } from "../router";
import { strategies } from "../run/strategies";
import { remember, remembered } from "../settings";

const LAST_DRAFT = "last-draft";
const FORM_FIELDS = ["strategy", "symbols", "source", "interval", "start", "end", "fill", ...Object.values({ ...COST_FIELDS, ...END_FIELDS }).map(({ name }) => name)];

class NewRun extends PageElement {
  static override properties = {
    strategies: { state: true }, markets: { state: true }, draft: { state: true },
    serverErrors: { state: true }, problem: { state: true }, isStarting: { state: true }, loadError: { state: true },
  };

  strategies: Strategy[] | null = null;
  markets: Market[] = [];
  draft: Draft = EMPTY_DRAFT;
  serverErrors: Errors = {};
  problem = "";
  isStarting = false;
  loadError = "";

  override connectedCallback(): void {
    super.connectedCallback();
    document.title = "New run · Candlestream";
    void this.load();
  }

  private async load(): Promise<void> {
    this.loadError = "";
    try {
      const [known, cryptocurrencies] = await Promise.all([strategies(), getCryptocurrencies()]);
      this.markets = withCoarser(marketsOf(cryptocurrencies));
      const start = location.search ? fromQuery(new URLSearchParams(location.search)) : remembered(LAST_DRAFT, EMPTY_DRAFT);
      this.draft = fitted({ ...EMPTY_DRAFT, ...start }, known, this.markets);
      this.strategies = known;
    } catch (error) {
      this.loadError = error instanceof ApiError ? error.message : String(error);
    }
  }

  private get strategy(): Strategy | undefined {
    return this.strategies?.find(({ name }) => name === this.draft.strategy);
  }

  private get market(): Market | undefined {
    return this.markets.find(({ key }) => key === this.draft.market);
  }

  private get fields(): Field[] {
    return this.strategy ? fieldsOf(this.strategy.parameters) : [];
  }

  private get chosen(): Listing[] {
    const { symbols } = this.draft;
    const listings = this.market?.listings ?? [];
    return symbols === null ? listings : listings.filter(({ symbol }) => symbols.includes(symbol));
  }

  private change(part: Partial<Draft>, ...fields: string[]): void {
    this.draft = { ...this.draft, ...part };
    for (const field of fields) delete this.serverErrors[field];
    this.problem = "";
  }

  protected override updated(changed: PropertyValues): void {
    if (!changed.has("draft") || !this.strategies) return;
    // The address carries the whole form; no history entry per keystroke.
    history.replaceState(null, "", `/?${toQuery(this.draft)}`);
  }

  private async start(submit: Event): Promise<void> {
    if (submit.target !== submit.currentTarget) return; // a dialog's form inside ours
    submit.preventDefault();
    if (!this.market || this.isStarting) return;
    const { spec, errors } = specOf(this.draft, this.fields, this.market);
    if (Object.keys(errors).length > 0) return this.focusFirstError();
    remember(LAST_DRAFT, this.draft);
    this.isStarting = true;
    try {
      const run = await startBacktest(spec);
      navigate(`/runs/${run.id}/`);
    } catch (error) {
      this.show(error);
    } finally {
      this.isStarting = false;
    }
  }

  private show(error: unknown): void {
    if (!(error instanceof ApiError)) throw error;
    const { fields, rest } = placed(error.fields, [...FORM_FIELDS, ...this.fields.map(({ name }) => `parameters.${name}`)]);
    const isPlaced = rest.length > 0 || Object.keys(fields).length > 0;
    this.serverErrors = fields;
    this.problem = isPlaced ? rest.join(" ") : error.message;
    void this.focusFirstError();
  }

  private async focusFirstError(): Promise<void> {
    await this.updateComplete;
    this.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }

  protected override render(): TemplateResult {
    if (this.loadError) return this.renderLoadError();
    if (!this.strategies) return html`<div class="page" aria-busy="true"><div class="page-title"><h1>New run</h1></div>
      <div class="new-run"><div class="sections">${[96, 160, 200].map((height) => html`<div class="skeleton" .style=${`height:${height}px`}></div>`)}</div></div></div>`;
    if (!this.market) return this.renderNoData();
    const errors = { ...specOf(this.draft, this.fields, this.market).errors, ...this.serverErrors };
    return html`
      <form class="page" novalidate @submit=${this.start} aria-label="New run">
        <div class="page-title"><h1>New run</h1>${this.market.generated ? generatedMark() : nothing}</div>
        <div class="new-run">
          <div class="sections">
            ${this.renderStrategy()} ${this.renderParameters(errors)} ${this.renderMarket(errors)} ${this.renderCosts(errors)} ${this.renderEnding(errors)}
          </div>
          ${this.renderSummary(errors)}
        </div>
      </form>`;
  }

  private renderLoadError(): TemplateResult {
    return html`<div class="empty" role="alert">
      <h1>The form cannot be loaded</h1>
      <p>${this.loadError} Runs that are under way are not affected.</p>
      <button class="button" @click=${() => this.load()}>Try again</button>
    </div>`;
  }

  private renderNoData(): TemplateResult {
    return html`<div class="empty">
      <h1>There are no candles yet</h1>
      <p>Import files of candles, then every cryptocurrency in them can be backtested:</p>
      <p><code>python manage.py import_candles PATH</code></p>
      <button class="button" @click=${() => this.load()}>Look again</button>
    </div>`;
  }

  private renderStrategy(): TemplateResult {
    return html`<fieldset class="section">
      <legend>Strategy</legend>
      <div class="cards">
        ${this.strategies!.map((strategy) => html`
          <label class="card">
            <input type="radio" name="strategy" .value=${strategy.name} .checked=${strategy.name === this.draft.strategy}
              @change=${() => this.choose(strategy)}>
            <span><b class="card-title">${strategy.title}</b><span class="muted">${strategy.description}</span></span>
          </label>`)}
      </div>
    </fieldset>`;
  }

  private choose(strategy: Strategy): void {
    const initial = fieldsOf(strategy.parameters).map(({ name, initial }) => [name, initial]);
    this.change({ strategy: strategy.name, parameters: Object.fromEntries(initial) });
    this.serverErrors = {};
  }

  private renderParameters(errors: Errors): TemplateResult {
    const names = this.fields.map(({ name }) => `parameters.${name}`); // one may be wrong because of another
    const isChanged = this.fields.some(({ name, initial }) => this.draft.parameters[name] !== initial);
    return html`<fieldset class="section">
      <legend>Parameters</legend>
      <cs-presets .strategy=${this.draft.strategy} .parameters=${this.draft.parameters} .isChanged=${isChanged}
        @defaults=${() => this.choose(this.strategy!)}
        @apply=${(preset: CustomEvent<Record<string, string>>) => this.change({ parameters: { ...this.draft.parameters, ...preset.detail } }, ...names)}></cs-presets>
      <div class="fields">
        ${this.fields.map((field) => {
          const name = `parameters.${field.name}`;
          return fieldRow(field, this.draft.parameters[field.name] ?? "", errors[name], name,
            (text) => this.change({ parameters: { ...this.draft.parameters, [field.name]: text } }, ...names));
        })}
        ${this.fields.length === 0 ? html`<p class="muted">This strategy has no parameters.</p>` : nothing}
      </div>
    </fieldset>`;
  }

  private renderMarket(errors: Errors): TemplateResult {
    const market = this.market!;
    return html`<fieldset class="section">
      <legend>Market</legend>
      <div class="fields">
        <div class="field">
          <label for="market">Source and interval</label>
          <select id="market" @change=${(change: Event) => this.chooseMarket((change.target as HTMLSelectElement).value)}>
            ${this.markets.map(({ key, source, interval, listings, madeOf }) => html`
              <option value=${key} ?selected=${key === market.key}>${source} · ${interval} · ${listings.length} cryptocurrencies${madeOf ? `, made of ${madeOf}` : ""}</option>`)}
          </select>
        </div>
        <cs-symbol-choice .listings=${market.listings} .symbols=${this.draft.symbols} .error=${errors["symbols"]}
          @choose=${(choice: CustomEvent<string[] | null>) => this.change({ symbols: choice.detail }, "symbols")}></cs-symbol-choice>
        <div class="field">
          <span class="label" id="range-label">Range, UTC</span>
          <div class="range" role="group" aria-labelledby="range-label">
            ${this.dateInput("start", "From", errors["start"])} <span class="muted">to</span> ${this.dateInput("end", "Until, not included", errors["end"])}
          </div>
          ${["start", "end"].map((name) => (errors[name] ? html`<p class="field-error" id="${name}-error">${errors[name]}</p>` : nothing))}
          <div class="quick">
            ${quickRanges(market).map(({ title, start, end }) => html`
              <button type="button" class="button" aria-pressed=${start === this.draft.start && end === this.draft.end}
                @click=${() => this.change({ start, end }, "start", "end")}>${title}</button>`)}
          </div>
        </div>
      </div>
    </fieldset>`;
  }

  private chooseMarket(key: string): void {
    this.draft = fitted({ ...this.draft, market: "", symbols: null }, this.strategies!, this.markets.filter((one) => one.key === key));
  }

  private dateInput(name: "start" | "end", label: string, error: string | undefined): TemplateResult {
    return html`<input class="input" type="date" aria-label=${label} .value=${this.draft[name]}
      aria-invalid=${error ? "true" : nothing} aria-describedby=${error ? `${name}-error` : nothing}
      @change=${(change: Event) => this.change({ [name]: (change.target as HTMLInputElement).value }, "start", "end")}>`;
  }

  private renderCosts(errors: Errors): TemplateResult {
    const keys = ["initialCash", "feePercent", "slippagePercent"] as const;
    return html`<fieldset class="section">
      <legend>Account and costs</legend>
      <div class="fields">
        <div class="three">
          ${keys.map((key) => {
            const field = COST_FIELDS[key];
            return html`<div class="field">
              <label for=${field.name}>${field.title}, <span class="muted">${field.unit}</span></label>
              ${numberInput(field, this.draft[key], errors[field.name], field.name, (text) => this.change({ [key]: text }, field.name))}
              ${errors[field.name] ? html`<p class="field-error" id="${field.name}-error">${errors[field.name]}</p>` : nothing}
            </div>`;
          })}
        </div>
        <div class="field">
          <span class="label">Orders are filled</span>
          <div class="choices">
            ${[["next_open", "at the next bar's open"], ["same_close", "at the same bar's close"]].map(([value, title]) => html`
              <label><input type="radio" name="fill" .checked=${this.draft.fill === value} @change=${() => this.change({ fill: value! }, "fill")}> ${title}</label>`)}
          </div>
        </div>
      </div>
    </fieldset>`;
  }

  private renderEnding(errors: Errors): TemplateResult {
    const keys = Object.keys(END_FIELDS) as EndKey[];
    const isUsed = keys.some((key) => this.draft[key] !== "" || errors[END_FIELDS[key].name] !== undefined);
    return html`<details class="section ending" ?open=${isUsed}>
      <summary>Order, hits and an early end</summary>
      <div class="three">${keys.map((key) => {
        const field = END_FIELDS[key];
        return html`<div class="field ${field.kind === "text" ? "text-field" : ""}">
          <label for=${field.name}>${field.title}${field.unit ? html`, <span class="muted">${field.unit}</span>` : nothing}</label>
          ${numberInput(field, this.draft[key], errors[field.name], field.name, (text) => this.change({ [key]: text }, field.name))}
          ${errors[field.name] ? html`<p class="field-error" id="${field.name}-error">${errors[field.name]}</p>` : nothing}
        </div>`;
      })}</div>
    </details>`;
  }

  private renderSummary(errors: Errors): TemplateResult {
    const chosen = this.chosen;
    const candles = candlesInRange(chosen, this.draft.start, this.draft.end);
    const wrong = Object.keys(errors).length;
    return html`<aside class="summary" aria-label="This run">
      <h2>${this.strategy?.title}</h2>
      <dl>
        <div><dt>Cryptocurrencies</dt><dd>${format.count(chosen.length)}</dd></div>
        <div><dt>Interval</dt><dd>${this.market!.interval}</dd></div>
        <div><dt>Range</dt><dd>${this.draft.start || format.NONE} → ${this.draft.end || format.NONE}</dd></div>
        <div><dt>Candles</dt><dd>${format.compact(candles)}</dd></div>
      </dl>
      ${this.problem ? html`<p class="notice notice-error" role="alert">${this.problem}</p>` : nothing}
      ${wrong > 0 ? html`<button type="button" class="button-link loss" @click=${() => this.focusFirstError()}>${wrong === 1 ? "One field needs" : `${wrong} fields need`} a look</button>` : nothing}
      <button class="button button-primary" type="submit" ?disabled=${this.isStarting}>
        ${this.isStarting ? "Starting…" : "Start run"}
      </button>
    </aside>`;
  }
}

customElements.define("cs-new-run", NewRun);

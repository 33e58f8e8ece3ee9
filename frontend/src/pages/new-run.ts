/** The form of a new run. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";

import { ApiError, type FieldErrors, getCryptocurrencies, getRuns, saveScan, startBacktest, startScan } from "../api/client";
import type { Run, Strategy } from "../api/types";
import { PageElement } from "../element";
import { type Draft, EMPTY_DRAFT, type Errors, fitted, fromQuery, specOf, toQuery } from "../form/draft";
import { placed } from "../form/errors";
import { estimated } from "../form/estimate";
import { type Field, fieldsOf } from "../form/fields";
import { type Listing, type Market, candlesInRange, marketsOf, quickRanges, withCoarser } from "../form/market";
import { OPTION_NAMES, executionOf } from "../form/options";
import * as format from "../format";
import { fieldRow } from "../parts/fields";
import { generatedMark } from "../parts/marks";
import type { Preset } from "../parts/presets";
import "../parts/presets";
import "../parts/name-dialog";
import { accountSection, endingSection, scanSection, stopsSection, taskChoice } from "../parts/run-options";
import "../parts/symbol-choice";
import { navigate } from "../router";
import { strategies } from "../run/strategies";
import { remember, remembered } from "../settings";

const LAST_DRAFT = "last-draft";
const FORM_FIELDS = ["strategy", "symbols", "source", "interval", "start", "end", ...OPTION_NAMES];
/** Enough to find a few that were computed, not reused. */
const MEASURED_RUNS = 20;

class NewRun extends PageElement {
  static override properties = {
    strategies: { state: true }, markets: { state: true }, draft: { state: true }, measured: { state: true },
    serverErrors: { state: true }, problem: { state: true }, isStarting: { state: true }, loadError: { state: true },
  };

  strategies: Strategy[] | null = null;
  markets: Market[] = [];
  draft: Draft = EMPTY_DRAFT;
  /** The latest runs, newest first; null until they are read. */
  measured: readonly Run[] | null = null;
  serverErrors: Errors = {};
  problem = "";
  isStarting = false;
  loadError = "";

  override connectedCallback(): void {
    super.connectedCallback();
    document.title = "New run · Candlestream";
    void this.load();
    getRuns(new URLSearchParams({ kind: "backtest", status: "completed", page_size: String(MEASURED_RUNS) }))
      .then(({ results }) => { this.measured = results; }, () => { this.measured = []; });
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

  private get isScan(): boolean {
    return this.draft.task === "scan";
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
      const run = await (this.isScan ? startScan : startBacktest)(spec);
      navigate(`/runs/${run.id}/`);
    } catch (error) {
      this.show(error);
    } finally {
      this.isStarting = false;
    }
  }

  /** Keep what the form asks for under a name; it starts by itself from then on. */
  private async saveScan(): Promise<void> {
    const { spec, errors } = specOf(this.draft, this.fields, this.market!);
    if (Object.keys(errors).length > 0) return this.focusFirstError();
    const name = await this.querySelector<HTMLElementTagNameMap["cs-name-dialog"]>(".scan-name")!.ask("Save this scan");
    if (!name) return;
    try {
      await saveScan(name, spec, true);
      navigate("/scans/");
    } catch (error) {
      this.show(error);
    }
  }

  private show(error: unknown): void {
    if (!(error instanceof ApiError)) throw error;
    const { fields, rest } = placed(withoutPrefix(error.fields, "request."), [...FORM_FIELDS, ...this.fields.map(({ name }) => `parameters.${name}`)]);
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
    const options = { draft: this.draft, errors, change: (part: Partial<Draft>, ...fields: string[]) => this.change(part, ...fields) };
    return html`
      <form class="page" novalidate @submit=${this.start} aria-label="New run">
        <div class="page-title"><h1>New run</h1>${this.market.generated ? generatedMark() : nothing}<span class="grow"></span>${taskChoice(options)}</div>
        <div class="new-run">
          <div class="sections">
            ${this.renderStrategy()} ${this.renderParameters(errors)} ${this.renderMarket(errors)} ${this.isScan ? scanSection(options) : html`${accountSection(options)} ${stopsSection(options)}`} ${endingSection(options)}
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
      <p>Upload files of candles or download from an exchange, then every cryptocurrency in them can be backtested.</p>
      <a class="button button-primary" href="/data/">Get candles</a> <button class="button" @click=${() => this.load()}>Look again</button>
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
      <cs-presets .strategy=${this.draft.strategy} .parameters=${this.draft.parameters} .execution=${executionOf(this.draft)} .isChanged=${isChanged}
        @defaults=${() => this.choose(this.strategy!)}
        @apply=${({ detail }: CustomEvent<Preset>) => this.change({ ...detail.execution, parameters: { ...this.draft.parameters, ...detail.parameters } }, ...names, ...OPTION_NAMES)}></cs-presets>
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
        ${this.isScan ? nothing : html`<div class="field">
          <span class="label"><span id="range-label">Range, UTC</span> <span class="muted">there are candles from ${market.firstDay} until ${market.endDay}</span></span>
          <div class="range" role="group" aria-labelledby="range-label">
            ${this.dateInput("start", "From", errors["start"])} <span class="muted">to</span> ${this.dateInput("end", "Until, not included", errors["end"])}
          </div>
          ${["start", "end"].map((name) => (errors[name] ? html`<p class="field-error" id="${name}-error">${errors[name]}</p>` : nothing))}
          <div class="quick">
            ${quickRanges(market).map(({ title, start, end }) => html`
              <button type="button" class="button" aria-pressed=${start === this.draft.start && end === this.draft.end}
                @click=${() => this.change({ start, end }, "start", "end")}>${title}</button>`)}
          </div>
        </div>`}
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

  private renderEstimate(count: number): TemplateResult {
    const estimate = this.measured && count > 0 && estimated(count, this.market!.interval, this.measured);
    const why = estimate
      ? `${format.number(estimate.perSecond, estimate.perSecond < 10 ? 1 : 0)} results a second, as ${estimate.runCount === 1 ? "the latest run" : `the latest ${estimate.runCount} runs`} took. Results that exist already take no time.`
      : "No run of enough results has been measured yet.";
    return html`<div title=${why}><dt>Time</dt><dd>${!this.measured || count === 0 ? format.NONE : estimate ? html`${estimate.seconds < 0.1 ? "" : "about "}${format.duration(estimate.seconds)}<span class="visually-hidden">. ${why}</span>` : "not measured yet"}</dd></div>`;
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
        ${this.isScan ? html`<div><dt>As of</dt><dd>the latest candle</dd></div>` : html`
          <div><dt>Range</dt><dd>${this.draft.start || format.NONE} → ${this.draft.end || format.NONE}</dd></div>
          <div><dt>Candles</dt><dd>${format.compact(candles)}</dd></div>
          ${this.renderEstimate(chosen.length)}`}
      </dl>
      ${this.problem ? html`<p class="notice notice-error" role="alert">${this.problem}</p>` : nothing}
      ${wrong > 0 ? html`<button type="button" class="button-link loss" @click=${() => this.focusFirstError()}>${wrong === 1 ? "One field needs" : `${wrong} fields need`} a look</button>` : nothing}
      <button class="button button-primary" type="submit" ?disabled=${this.isStarting}>
        ${this.isStarting ? "Starting…" : this.isScan ? "Scan now" : "Start run"}
      </button>
      ${this.isScan ? html`<button class="button" type="button" @click=${() => this.saveScan()}>Save this scan…</button><cs-name-dialog class="scan-name"></cs-name-dialog>` : nothing}
    </aside>`;
  }
}

/** Messages about a scan to be saved speak of its request. */
function withoutPrefix(errors: FieldErrors, prefix: string): FieldErrors {
  return Object.fromEntries(Object.entries(errors).map(([name, messages]) => [name.startsWith(prefix) ? name.slice(prefix.length) : name, messages]));
}

customElements.define("cs-new-run", NewRun);

/** Which cryptocurrencies a run takes: all, the most traded, a saved list, or any that are ticked. */

import { html, nothing, type TemplateResult } from "lit";

import { PageElement } from "../element";
import type { Listing } from "../form/market";
import { remember, remembered, without } from "../settings";
import "./name-dialog";

const LISTS = "symbol-lists";
const TOP_COUNTS = [10, 25, 50, 100];

class SymbolChoice extends PageElement {
  static override properties = {
    listings: { attribute: false }, symbols: { attribute: false }, error: { attribute: false }, search: { state: true }, lists: { state: true },
  };

  /** Most traded first. */
  listings: readonly Listing[] = [];
  /** Null means all. */
  symbols: readonly string[] | null = null;
  error: string | undefined = undefined;
  search = "";
  lists: Record<string, string[]> = remembered(LISTS, {});

  private choose(symbols: readonly string[] | null): void {
    this.dispatchEvent(new CustomEvent("choose", { detail: symbols }));
  }

  private saveLists(lists: Record<string, string[]>): void {
    this.lists = lists;
    remember(LISTS, lists);
  }

  private async saveAs(): Promise<void> {
    const name = await this.querySelector("cs-name-dialog")!.ask("Save as a list");
    if (name && this.symbols) this.saveLists({ ...this.lists, [name]: [...this.symbols] });
  }

  protected override render(): TemplateResult {
    const { listings, symbols, error } = this;
    return html`<div class="field">
      <span class="label">Cryptocurrencies</span>
      <div class="choices">
        <label><input type="radio" name="symbols" .checked=${symbols === null} @change=${() => this.choose(null)}> All ${listings.length}</label>
        <label><input type="radio" name="symbols" .checked=${symbols !== null} @change=${() => this.choose([])}> Chosen ones${
          symbols === null ? nothing : html` (${symbols.length})`}</label>
      </div>
      <div class="quick">
        ${TOP_COUNTS.filter((count) => count < listings.length).map((count) => this.listButton(`Top ${count}`, listings.slice(0, count).map(({ symbol }) => symbol)))}
        ${Object.entries(this.lists).map(([name, list]) => html`<span class="saved">${this.listButton(name, list)}
          <button type="button" class="button button-plain" aria-label="Forget the list ${name}" @click=${() => this.saveLists(without(this.lists, name))}>×</button></span>`)}
      </div>
      ${symbols === null ? nothing : this.renderTicks(symbols)}
      ${error ? html`<p class="field-error">${error}</p>` : nothing}
    </div>
    <cs-name-dialog></cs-name-dialog>`;
  }

  private listButton(title: string, list: readonly string[]): TemplateResult {
    const { symbols } = this;
    const isChosen = symbols !== null && symbols.length === list.length && list.every((symbol) => symbols.includes(symbol));
    return html`<button type="button" class="button" aria-pressed=${isChosen} @click=${() => this.choose(list)}>${title}</button>`;
  }

  private renderTicks(symbols: readonly string[]): TemplateResult {
    const wanted = this.search.trim().toLowerCase();
    const found = this.listings.filter(({ symbol, name }) => `${symbol} ${name}`.toLowerCase().includes(wanted));
    const toggled = (symbol: string) => (symbols.includes(symbol) ? symbols.filter((one) => one !== symbol) : [...symbols, symbol]);
    return html`
      <input class="input" type="search" placeholder="Search" aria-label="Search cryptocurrencies" .value=${this.search}
        aria-invalid=${this.error ? "true" : nothing} @input=${(input: Event) => { this.search = (input.target as HTMLInputElement).value; }}>
      <div class="symbols" role="group" aria-label="Cryptocurrencies">
        ${found.map(({ symbol, series }) => html`
          <label title=${series.warnings.map(({ message }) => message).join(" ") || nothing}>
            <input type="checkbox" .checked=${symbols.includes(symbol)} @change=${() => this.choose(toggled(symbol))}>
            <span class="truncate">${symbol}</span>${series.warnings.length > 0 ? html`<span class="warn">▲<span class="visually-hidden"> has a warning</span></span>` : nothing}
          </label>`)}
        ${found.length === 0 ? html`<p class="muted">None matches.</p>` : nothing}
      </div>
      <div class="quick">
        <button type="button" class="button" @click=${() => this.choose([...new Set([...symbols, ...found.map(({ symbol }) => symbol)])])}>Choose ${wanted ? "found" : "all"}</button>
        <button type="button" class="button" @click=${() => this.choose([])}>Choose none</button>
        ${symbols.length > 0 ? html`<button type="button" class="button" @click=${this.saveAs}>Save as a list…</button>` : nothing}
      </div>`;
  }
}

customElements.define("cs-symbol-choice", SymbolChoice);

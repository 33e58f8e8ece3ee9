/** The table of results: grows while it is sorted, never moves the row under the pointer, walks by keyboard. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { guard } from "lit/directives/guard.js";
import { repeat } from "lit/directives/repeat.js";

import { PageElement } from "../element";
import { navigate, resultPath } from "../router";
import type { Row } from "../run/state";
import { COLUMNS, type Column, type Ordering } from "../table/columns";
import { USUAL_QUOTE, splitSymbol } from "../table/symbols";
import { ROW_HEIGHT, type RowWindow, rowWindow } from "../table/window";
import { hitMark, reusedMark, warningMark } from "./marks";
import { sparkline } from "./sparkline";

const FADE_MS = 300;
/** As the styles: only some columns are shown. A cell over columns that are not there would make new ones. */
const NARROW = window.matchMedia("(max-width: 640px)");
/** More rows than this at once are not worth fading: it would only flicker, and cost frames. */
const FADE_LIMIT = 10;

class ResultTable extends PageElement {
  static override properties = {
    runId: {}, rows: { attribute: false }, failures: { attribute: false }, ordering: { attribute: false }, columns: { attribute: false },
    waiting: { attribute: false }, total: { type: Number }, isNarrow: { state: true }, drawn: { state: true }, current: { state: true },
  };

  runId = "";
  rows: readonly Row[] = [];
  failures: readonly (readonly [string, string])[] = [];
  /** Symbols that have not been done yet, where the user may change their order. */
  waiting: readonly string[] = [];
  ordering: Ordering = { by: "total_return", descending: true };
  columns: readonly Column[] = COLUMNS;
  total = 0;
  drawn: RowWindow = { first: 0, end: 0 };
  /** The symbol whose link is in the tab order. */
  current = "";

  private readonly seen = new Map<string, number>();
  isNarrow = NARROW.matches;

  private readonly onScroll = () => this.measure();
  private readonly onNarrow = () => { this.isNarrow = NARROW.matches; };
  /** How far the rows under the pointer will move by what has arrived. */
  private shift = 0;
  /** The view as it was measured last: measuring in every frame would lay the page out twice. */
  private above = 0;
  private height = window.innerHeight;

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("scroll", this.onScroll, { capture: true, passive: true });
    window.addEventListener("resize", this.onScroll);
    NARROW.addEventListener("change", this.onNarrow);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("scroll", this.onScroll, { capture: true });
    window.removeEventListener("resize", this.onScroll);
    NARROW.removeEventListener("change", this.onNarrow);
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (!changed.has("rows")) return;
    const now = performance.now();
    for (const row of this.rows) if (!this.seen.has(row.symbol)) this.seen.set(row.symbol, row.isNew ? now : -Infinity);
    const before = changed.get("rows") as readonly Row[] | undefined;
    const hovered = this.querySelector<HTMLElement>("tbody tr:hover")?.dataset["symbol"];
    const place = (rows: readonly Row[]) => rows.findIndex(({ symbol }) => symbol === hovered);
    if (before && hovered && !changed.has("ordering") && place(before) >= 0 && place(this.rows) >= 0) {
      this.shift = (place(this.rows) - place(before)) * ROW_HEIGHT;
    }
    this.drawn = rowWindow(this.rows.length, this.above + this.shift, this.height);
  }

  protected override updated(): void {
    if (this.shift === 0) return;
    scrollerOf(this).scrollBy({ top: this.shift, behavior: "instant" });
    this.shift = 0;
    this.measure();
  }

  protected override firstUpdated(): void {
    this.measure();
  }

  /** Take what is in view now. */
  private measure(): void {
    const body = this.querySelector("tbody");
    if (!body) return;
    const view = scrollerOf(this);
    const top = view === document.documentElement ? 0 : view.getBoundingClientRect().top;
    this.above = top - body.getBoundingClientRect().top;
    this.height = view.clientHeight;
    const next = rowWindow(this.rows.length, this.above, this.height);
    if (next.first !== this.drawn.first || next.end !== this.drawn.end) this.drawn = next;
  }

  protected override render(): TemplateResult {
    const { first, end } = this.drawn;
    const shown = this.rows.slice(first, end);
    const focusable = shown.some(({ symbol }) => symbol === this.current) ? this.current : shown[0]?.symbol;
    const now = performance.now();
    const fresh = shown.filter(({ symbol }) => now - (this.seen.get(symbol) ?? 0) < FADE_MS);
    const faded = new Set(fresh.length <= FADE_LIMIT ? fresh : []);
    return html`
      <table class="results" aria-rowcount=${this.total + 1} @keydown=${this.onKey} .style=${`--columns:${this.columns.length}`}>
        <caption class="visually-hidden">Results, one row per cryptocurrency</caption>
        <colgroup><col>${this.columns.map(({ isNarrow }) => html`<col class="number-column ${isNarrow ? "" : "wide-only"}">`)}<col class="spark-column"></colgroup>
        <thead><tr aria-rowindex="1">
          ${this.header("symbol", "Symbol", "", "")}
          ${this.columns.map((column) => this.header(column.id, column.title, column.unit, column.definition, column))}
          <th scope="col" class="spark-column">Equity</th>
        </tr></thead>
        <tbody>
          ${this.spacer(first)}
          ${repeat(shown, ({ symbol }) => symbol, (row, index) => {
            const isFresh = faded.has(row);
            const isFocusable = row.symbol === focusable;
            const rowIndex = first + index + 2;
            return guard([row, this.columns, isFresh, isFocusable, this.runId, rowIndex], () => this.row(row, rowIndex, isFresh, isFocusable));
          })}
          ${this.spacer(this.rows.length - end)}
          ${this.failures.map(([symbol, reason]) => this.failure(symbol, reason))}
          ${this.waiting.map((symbol) => this.waitingRow(symbol))}
        </tbody>
      </table>`;
  }

  /** Room for rows that are not drawn. */
  private spacer(rows: number): TemplateResult | typeof nothing {
    return rows > 0 ? html`<tr class="spacer" aria-hidden="true"><td .style=${`height:${rows * ROW_HEIGHT}px`}></td></tr>` : nothing;
  }

  private header(id: string, title: string, unit: string, definition: string, column?: Column): TemplateResult {
    const isSorted = this.ordering.by === id;
    const direction = this.ordering.descending ? "descending" : "ascending";
    return html`<th scope="col" class=${column ? `number ${column.isNarrow ? "" : "wide-only"}` : ""} aria-sort=${isSorted ? direction : nothing}>
      <button title=${definition || nothing} @click=${() => this.sortBy(id, column !== undefined)}>
        <span class="sort-arrow" aria-hidden="true">${isSorted ? (this.ordering.descending ? "▼" : "▲") : ""}</span>${title}${unit ? html`<span class="unit">${unit}</span>` : nothing}
      </button>
    </th>`;
  }

  private sortBy(by: string, largestFirst: boolean): void {
    const descending = this.ordering.by === by ? !this.ordering.descending : largestFirst;
    this.dispatchEvent(new CustomEvent<Ordering>("order", { detail: { by, descending } }));
  }

  private row(row: Row, rowIndex: number, isFresh: boolean, isFocusable: boolean): TemplateResult {
    const [base, quote] = splitSymbol(row.symbol);
    return html`<tr class=${isFresh ? "fresh" : nothing} aria-rowindex=${rowIndex} data-symbol=${row.symbol} @click=${this.onRowClick}>
      <th scope="row"><div class="symbol">
        <a href=${resultPath(this.runId, row.symbol)} tabindex=${isFocusable ? 0 : -1}><span class="truncate">${base}</span>${quoted(quote)}</a>
        ${row.hit ? hitMark() : nothing}${row.warnings.length > 0 ? warningMark(row.warnings) : nothing}${row.cached ? reusedMark() : nothing}
      </div></th>
      ${this.columns.map((column) => {
        const value = column.hasTone ? (column.value(row) ?? 0) : 0;
        const tone = value > 0 ? "gain" : value < 0 ? "loss" : "";
        return html`<td class="number ${tone} ${column.isNarrow ? "" : "wide-only"}">${column.text(row)}</td>`;
      })}
      <td class="spark-column">${sparkline(row.sparkline)}</td>
    </tr>`;
  }

  /** Columns after the symbol's. */
  private get span(): number {
    return this.columns.filter(({ isNarrow }) => isNarrow || !this.isNarrow).length + 1;
  }

  private failure(symbol: string, reason: string): TemplateResult {
    const [base, quote] = splitSymbol(symbol);
    return html`<tr class="failed" data-symbol=${symbol}>
      <th scope="row"><div class="symbol"><span class="truncate">${base}</span>${quoted(quote)}</div></th>
      <td colspan=${this.span}><span class="mark mark-loss">failed</span> ${reason}</td>
    </tr>`;
  }

  private waitingRow(symbol: string): TemplateResult {
    const [base, quote] = splitSymbol(symbol);
    return html`<tr class="waiting" data-waiting=${symbol}>
      <th scope="row"><div class="symbol"><span class="truncate">${base}</span>${quoted(quote)}</div></th>
      <td colspan=${this.span}>waiting <button class="button-link" aria-label="Do ${symbol} next"
        @click=${() => this.dispatchEvent(new CustomEvent("prioritise", { detail: symbol }))}>Do next</button></td>
    </tr>`;
  }

  private readonly onRowClick = (click: MouseEvent): void => {
    if (click.defaultPrevented || (click.target as Element).closest("a") || getSelection()?.toString()) return;
    const symbol = (click.currentTarget as HTMLElement).dataset["symbol"]!;
    this.current = symbol;
    navigate(resultPath(this.runId, symbol));
  };

  private onKey(key: KeyboardEvent): void {
    const symbol = (key.target as Element).closest<HTMLElement>("tbody tr")?.dataset["symbol"];
    const at = this.rows.findIndex((row) => row.symbol === symbol);
    if (at < 0) return;
    const places: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 10, PageUp: at - 10, Home: 0, End: this.rows.length - 1 };
    const place = places[key.key];
    if (place === undefined) return;
    key.preventDefault();
    void this.focusRow(this.rows[Math.max(0, Math.min(this.rows.length - 1, place))]!.symbol);
  }

  /** Put the keyboard on a row, or on the first in view, and bring it into view. */
  async focusRow(symbol = this.current): Promise<void> {
    this.current = symbol;
    const at = this.rows.findIndex((row) => row.symbol === symbol);
    if (at >= 0 && (at < this.drawn.first || at >= this.drawn.end)) this.drawn = rowWindow(this.rows.length, at * ROW_HEIGHT, 0);
    await this.updateComplete;
    const link = this.querySelector<HTMLElement>("tbody a[tabindex='0']");
    link?.focus({ preventScroll: true });
    link?.closest("tr")?.scrollIntoView({ block: "nearest" });
  }
}

/** On a phone the usual quote is left out; any other is needed to tell BTCUSD from BTCUSDT. */
const quoted = (quote: string): TemplateResult => html`<span class="quote ${quote === USUAL_QUOTE ? "usual" : ""}">${quote}</span>`;

function scrollerOf(element: Element): Element {
  const panel = element.closest(".table-scroll");
  return panel && getComputedStyle(panel).overflowY === "auto" ? panel : document.documentElement;
}

declare global {
  interface HTMLElementTagNameMap {
    "cs-result-table": ResultTable;
  }
}

customElements.define("cs-result-table", ResultTable);

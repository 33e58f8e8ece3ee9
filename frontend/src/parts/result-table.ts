/** The table of results: grows while it is sorted, never moves the row under the pointer, walks by keyboard. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { guard } from "lit/directives/guard.js";
import { repeat } from "lit/directives/repeat.js";

import { PageElement } from "../element";
import { navigate, resultPath } from "../router";
import type { Row } from "../run/state";
import { COLUMNS, type Column, type Ordering } from "../table/columns";
import { splitSymbol } from "../table/symbols";
import { reusedMark, warningMark } from "./marks";
import { sparkline } from "./sparkline";

const FADE_MS = 300;
/** More rows than this are drawn on demand: nobody reads them all, and every frame would pay for them. */
const ROW_LIMIT = 600;

class ResultTable extends PageElement {
  static override properties = {
    runId: {}, rows: { attribute: false }, failures: { attribute: false }, ordering: { attribute: false }, columns: { attribute: false },
    total: { type: Number }, limit: { state: true }, current: { state: true },
  };

  runId = "";
  rows: readonly Row[] = [];
  failures: readonly (readonly [string, string])[] = [];
  ordering: Ordering = { by: "total_return", descending: true };
  columns: readonly Column[] = COLUMNS;
  total = 0;
  limit = ROW_LIMIT;
  /** The symbol whose link is in the tab order. */
  current = "";

  private readonly seen = new Map<string, number>();
  private anchor: { row: Element; top: number } | null = null;

  protected override willUpdate(changed: PropertyValues): void {
    if (!changed.has("rows")) return;
    const now = performance.now();
    for (const row of this.rows) if (!this.seen.has(row.symbol)) this.seen.set(row.symbol, row.isNew ? now : -Infinity);
    const hovered = this.querySelector("tbody tr:hover");
    this.anchor = hovered ? { row: hovered, top: hovered.getBoundingClientRect().top } : null;
  }

  protected override updated(): void {
    if (!this.anchor?.row.isConnected) return;
    const moved = this.anchor.row.getBoundingClientRect().top - this.anchor.top;
    if (moved !== 0) scrollerOf(this).scrollBy({ top: moved, behavior: "instant" });
    this.anchor = null;
  }

  protected override render(): TemplateResult {
    const shown = this.rows.slice(0, this.limit);
    const focusable = shown.some(({ symbol }) => symbol === this.current) ? this.current : shown[0]?.symbol;
    const now = performance.now();
    return html`
      <table class="results" aria-rowcount=${this.total || nothing} @keydown=${this.onKey}>
        <caption class="visually-hidden">Results, one row per cryptocurrency</caption>
        <thead><tr>
          ${this.header("symbol", "Symbol", "", "")}
          ${this.columns.map((column) => this.header(column.id, column.title, column.unit, column.definition, column))}
          <th scope="col" class="spark-column">Equity</th>
        </tr></thead>
        <tbody>
          ${repeat(shown, ({ symbol }) => symbol, (row) => {
            const isFresh = now - (this.seen.get(row.symbol) ?? 0) < FADE_MS;
            const isFocusable = row.symbol === focusable;
            return guard([row, this.columns, isFresh, isFocusable, this.runId], () => this.row(row, isFresh, isFocusable));
          })}
          ${this.failures.map(([symbol, reason]) => this.failure(symbol, reason))}
        </tbody>
      </table>
      ${this.rows.length > this.limit ? html`<button class="button more" @click=${() => { this.limit += ROW_LIMIT; }}>
        Show more of ${this.rows.length} rows</button>` : nothing}`;
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

  private row(row: Row, isFresh: boolean, isFocusable: boolean): TemplateResult {
    const [base, quote] = splitSymbol(row.symbol);
    return html`<tr class=${isFresh ? "fresh" : nothing} data-symbol=${row.symbol} @click=${this.onRowClick}>
      <th scope="row"><div class="symbol">
        <a href=${resultPath(this.runId, row.symbol)} tabindex=${isFocusable ? 0 : -1}><span class="truncate">${base}</span><span class="quote">${quote}</span></a>
        ${row.warnings.length > 0 ? warningMark(row.warnings) : nothing}${row.cached ? reusedMark() : nothing}
      </div></th>
      ${this.columns.map((column) => {
        const value = column.hasTone ? (column.value(row) ?? 0) : 0;
        const tone = value > 0 ? "gain" : value < 0 ? "loss" : "";
        return html`<td class="number ${tone} ${column.isNarrow ? "" : "wide-only"}">${column.text(row)}</td>`;
      })}
      <td class="spark-column">${sparkline(row.sparkline)}</td>
    </tr>`;
  }

  private failure(symbol: string, reason: string): TemplateResult {
    const [base, quote] = splitSymbol(symbol);
    return html`<tr class="failed" data-symbol=${symbol}>
      <th scope="row"><div class="symbol"><span class="truncate">${base}</span><span class="quote">${quote}</span></div></th>
      <td colspan=${this.columns.length + 1}><span class="mark mark-loss">failed</span> ${reason}</td>
    </tr>`;
  }

  private readonly onRowClick = (click: MouseEvent): void => {
    if (click.defaultPrevented || (click.target as Element).closest("a") || getSelection()?.toString()) return;
    const symbol = (click.currentTarget as HTMLElement).dataset["symbol"]!;
    this.current = symbol;
    navigate(resultPath(this.runId, symbol));
  };

  private onKey(key: KeyboardEvent): void {
    const row = (key.target as Element).closest("tbody tr");
    const steps: Record<string, (from: Element) => Element | null | undefined> = {
      ArrowDown: (from) => from.nextElementSibling,
      ArrowUp: (from) => from.previousElementSibling,
      Home: (from) => from.parentElement?.firstElementChild,
      End: () => [...this.querySelectorAll("tbody tr:not(.failed)")].at(-1),
    };
    const target = row && steps[key.key]?.(row);
    const link = target?.querySelector<HTMLElement>("a");
    if (!link) return;
    key.preventDefault();
    this.current = (target as HTMLElement).dataset["symbol"]!;
    link.focus({ preventScroll: true });
    target!.scrollIntoView({ block: "nearest" });
  }

  /** Put the keyboard on a row, or on the first. */
  async focusRow(symbol = this.current): Promise<void> {
    this.current = symbol;
    await this.updateComplete;
    this.querySelector<HTMLElement>("tbody a[tabindex='0']")?.focus();
  }
}

function scrollerOf(element: Element): Element {
  for (let parent = element.parentElement; parent; parent = parent.parentElement) {
    if (/auto|scroll/.test(getComputedStyle(parent).overflowY) && parent.scrollHeight > parent.clientHeight) return parent;
  }
  return document.documentElement;
}

declare global {
  interface HTMLElementTagNameMap {
    "cs-result-table": ResultTable;
  }
}

customElements.define("cs-result-table", ResultTable);

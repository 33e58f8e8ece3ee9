/** What candles there are, and how good they are. */

import { html, nothing, svg, type TemplateResult } from "lit";

import { ApiError, getCryptocurrencies, getQuality } from "../api/client";
import type { Quality, Series } from "../api/types";
import { PageElement } from "../element";
import { type Listing, type Market, marketsOf } from "../form/market";
import * as format from "../format";
import { generatedMark, warningMark } from "../parts/marks";
import "../parts/more-data";

const SPAN_WIDTH = 160;
const GAPS_SHOWN = 50;
const SUSPECTS_SHOWN = 10;

type SortKey = "traded" | "symbol" | "candles" | "missing" | "gaps";

const ORDERS: Record<SortKey, (a: Listing, b: Listing) => number> = {
  traded: () => 0, // the API's own order: most traded first
  symbol: (a, b) => (a.symbol < b.symbol ? -1 : 1),
  candles: (a, b) => b.series.candle_count - a.series.candle_count,
  missing: (a, b) => b.series.missing_count - a.series.missing_count,
  gaps: (a, b) => b.series.gap_count - a.series.gap_count,
};

class DataPage extends PageElement {
  static override properties = {
    markets: { state: true }, key: { state: true }, search: { state: true }, order: { state: true }, open: { state: true }, quality: { state: true }, error: { state: true },
  };

  markets: Market[] | null = null;
  key = "";
  search = "";
  order: SortKey = "traded";
  /** The series whose quality is shown. */
  open: Series["id"] | null = null;
  quality: Quality | null = null;
  error = "";
  /** Which of several questions under way is the latest: two imports may end together, and the first be answered last. */
  private asked = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    document.title = "Data · Candlestream";
    void this.load();
  }

  private async load(): Promise<void> {
    this.error = "";
    const number = ++this.asked;
    try {
      const markets = marketsOf(await getCryptocurrencies());
      if (number !== this.asked) return;
      this.markets = markets;
      this.key ||= markets[0]?.key ?? "";
    } catch (error) {
      if (number === this.asked) this.error = error instanceof ApiError ? error.message : String(error);
    }
  }

  private async toggle(id: Series["id"]): Promise<void> {
    this.quality = null;
    this.open = this.open === id ? null : id;
    if (this.open === null) return;
    try {
      const quality = await getQuality(id);
      if (this.open === id) this.quality = quality;
    } catch (error) {
      this.open = null;
      this.error = error instanceof ApiError ? error.message : String(error);
    }
  }

  protected override render(): TemplateResult {
    if (this.error && !this.markets) {
      return html`<div class="empty" role="alert"><h1>The data cannot be listed</h1><p>${this.error} What is stored is safe.</p>
        <button class="button" @click=${() => this.load()}>Try again</button></div>`;
    }
    if (!this.markets) return html`<div class="page" aria-busy="true"><div class="page-title"><h1>Data</h1></div><div class="skeleton" .style=${"height:320px"}></div></div>`;
    const market = this.markets.find(({ key }) => key === this.key);
    if (!market) {
      return html`<div class="page"><div class="page-title"><h1>There are no candles yet</h1></div>
        <p class="muted">Import files or download from an exchange, then every cryptocurrency in them can be backtested.</p>
        <cs-more-data @changed=${() => this.load()}></cs-more-data></div>`;
    }
    return this.renderMarket(market, this.markets);
  }

  private renderMarket(market: Market, markets: readonly Market[]): TemplateResult {
    const wanted = this.search.trim().toLowerCase();
    const shown = market.listings.filter(({ symbol, name }) => `${symbol} ${name}`.toLowerCase().includes(wanted));
    if (this.order !== "traded") shown.sort(ORDERS[this.order]);
    const missing = market.listings.reduce((sum, { series }) => sum + series.missing_count, 0);
    return html`<div class="page">
      <div class="page-title"><h1>Data</h1>${market.generated ? generatedMark() : nothing}
        <span class="muted">${format.count(market.listings.length)} series · ${format.count(market.candleCount)} candles · ${format.count(missing)} missing · <span class="nowrap">${market.firstDay} to ${market.endDay}</span></span>
        <span class="grow"></span><button class="button" @click=${() => this.querySelector(".section-title")?.scrollIntoView({ behavior: "smooth" })}>Get more candles</button></div>
      ${this.error ? html`<p class="notice notice-error" role="alert">${this.error}</p>` : nothing}
      <div class="toolbar above">
        ${markets.length > 1 ? html`<select class="market-choice" aria-label="Source and interval" @change=${(change: Event) => { this.key = (change.target as HTMLSelectElement).value; }}>
          ${markets.map(({ key, source, interval }) => html`<option value=${key} ?selected=${key === market.key}>${source} · ${interval}</option>`)}</select>` : nothing}
        <input class="input filter" type="search" placeholder="Search" aria-label="Search series" .value=${this.search}
          @input=${(input: Event) => { this.search = (input.target as HTMLInputElement).value; }}>
        <label class="order">Sort by <select @change=${(change: Event) => { this.order = (change.target as HTMLSelectElement).value as SortKey; }}>
          ${[["traded", "most traded"], ["symbol", "symbol"], ["candles", "most candles"], ["missing", "most missing"], ["gaps", "most gaps"]].map(([value, title]) => html`
            <option value=${value} ?selected=${value === this.order}>${title}</option>`)}</select></label>
      </div>
      <div class="table-frame" tabindex="0" role="region" aria-label="Series"><table class="results plain series">
        <thead><tr><th scope="col">Symbol</th><th scope="col" class="wide-only">Covers</th><th scope="col" class="number">Candles</th><th scope="col" class="number">Missing</th>
          <th scope="col" class="number">Gaps</th><th scope="col" class="wide-only">First</th><th scope="col" class="wide-only">Last</th><th scope="col">To know</th></tr></thead>
        <tbody>${shown.map((listing) => this.renderListing(listing, market))}</tbody>
      </table>
      ${shown.length === 0 ? html`<div class="empty"><h2>No series matches</h2><button class="button" @click=${() => { this.search = ""; }}>Clear the search</button></div>` : nothing}</div>
      <h2 class="section-title">More candles</h2>
      <cs-more-data @changed=${() => this.load()}></cs-more-data>
    </div>`;
  }

  private renderListing({ symbol, series }: Listing, market: Market): TemplateResult {
    const isOpen = this.open === series.id;
    return html`<tr>
      <th scope="row"><button class="button-link" aria-expanded=${isOpen} @click=${() => this.toggle(series.id)}>${symbol}</button></th>
      <td class="wide-only">${span(series, market)}</td>
      <td class="number">${format.count(series.candle_count)}</td>
      <td class="number">${format.count(series.missing_count)}</td>
      <td class="number">${format.count(series.gap_count)}</td>
      <td class="wide-only">${format.utcMinute(series.first_open)}</td>
      <td class="wide-only">${format.utcMinute(series.last_open)}</td>
      <td>${series.warnings.length > 0 ? warningMark(series.warnings) : nothing}</td>
    </tr>
    ${isOpen ? html`<tr class="quality-row"><td colspan="8">${this.quality ? this.renderQuality(this.quality) : html`<div class="skeleton" aria-busy="true"></div>`}</td></tr>` : nothing}`;
  }

  private renderQuality(quality: Quality): TemplateResult {
    const { gaps, series } = quality;
    const largest = [...gaps].sort((a, b) => b.missing_count - a.missing_count).slice(0, GAPS_SHOWN);
    const stretches = [...quality.zero_volume_stretches].sort((a, b) => b.candle_count - a.candle_count);
    const [longest] = stretches;
    const suspects = [...quality.unfinished, ...(quality.last_is_unfinished ? [series.last_open] : [])];
    const repairs = quality.history.filter(({ rule }) => rule !== "downloaded").map(repairText).join("; ");
    const there = quality.expected_count > 0 ? series.candle_count / quality.expected_count : 1;
    return html`<div class="quality">
      ${series.warnings.map(({ message }) => html`<p class="notice notice-warning">${message}</p>`)}
      <p>${format.percent(there, 2)} of the ${format.count(quality.expected_count)} candles between first and last are there.
        ${gapsText(quality)}</p>
      ${stretches.length > 0 ? html`<p>Without volume: ${format.plural(stretches.reduce((sum, one) => sum + one.candle_count, 0), "candle")} in ${format.plural(stretches.length, "stretch", "stretches")}, the longest from ${format.utcMinute(longest!.first_open)} to ${format.utcMinute(longest!.last_open)}.</p>` : nothing}
      ${suspects.length > 0 ? html`<p>Cut short, by the look of ${suspects.length === 1 ? "it" : "them"}: ${suspects.slice(0, SUSPECTS_SHOWN).map(format.utcMinute).join(", ")}${suspects.length > SUSPECTS_SHOWN ? ` and ${format.count(suspects.length - SUSPECTS_SHOWN)} more` : ""}.</p>` : nothing}
      ${repairs ? html`<p class="muted">On import: ${repairs}.</p>` : nothing}
      ${largest.length > 0 ? html`<table class="trades"><thead><tr><th scope="col">Last candle before</th><th scope="col">First after</th><th scope="col" class="number">Missing</th><th scope="col">Whose</th></tr></thead>
        <tbody>${largest.map((gap) => html`<tr><td>${format.utcMinute(gap.since)}</td><td>${format.utcMinute(gap.until)}</td><td class="number">${format.count(gap.missing_count)}</td>
          <td>${gap.market_wide === null ? "nothing to compare with" : gap.market_wide ? "exchange" : "this coin"}</td></tr>`)}</tbody></table>
        ${gaps.length > largest.length ? html`<p class="muted">The ${GAPS_SHOWN} largest of ${format.count(gaps.length)} gaps.</p>` : nothing}` : nothing}
    </div>`;
  }
}

/** Whose the gaps are, as far as other series of that time tell. */
function gapsText({ gaps, market_wide_gap_count: shared, own_gap_count: own }: Quality): string {
  if (gaps.length === 0) return "None is missing.";
  const unknown = gaps.length - shared - own;
  const whose = [
    shared > 0 ? `${format.count(shared)} of the exchange (others have it too)` : "",
    own > 0 ? `${format.count(own)} of this coin alone` : "",
    unknown > 0 ? `${format.count(unknown)} with nothing to compare with` : "",
  ];
  return `${format.plural(gaps.length, "gap")}: ${whose.filter(Boolean).join(", ")}.`;
}

/** "reordered 1,770 rows", "adjusted by 1,000 before 2021-06-18". */
function repairText({ rule, rows, factor, before_ms }: Quality["history"][number]): string {
  if (factor !== undefined && before_ms !== undefined) return `${rule} by ${format.count(factor)} before ${format.utcDay(new Date(before_ms).toISOString())}`;
  return rows === undefined ? rule : `${rule} ${format.plural(rows, "row")}`;
}

/** When a series exists, within the time that the whole market covers. */
function span(series: Series, market: Market): TemplateResult {
  const [first, end] = [Date.parse(market.firstDay), Date.parse(market.endDay)];
  const at = (iso: string) => ((Date.parse(iso) - first) / Math.max(1, end - first)) * SPAN_WIDTH;
  const [from, to] = [at(series.first_open), at(series.last_open)];
  return html`<svg class="span" width=${SPAN_WIDTH} height="8" aria-hidden="true">
    ${svg`<rect class="all" width=${SPAN_WIDTH} height="8" rx="2" /><rect class="there" x=${from} width=${Math.max(2, to - from)} height="8" rx="2" />`}
  </svg>`;
}

customElements.define("cs-data", DataPage);

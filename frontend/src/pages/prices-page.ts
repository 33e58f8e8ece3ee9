/** Live prices: cards, a chart, what happened, and alerts; never silently old. */

import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { PageElement } from "../element";
import * as format from "../format";
import "../prices/alert-dialog";
import "../prices/alerts-panel";
import { priceCard } from "../prices/price-card";
import { type Ordering, type Ticker, ageOf, isStale, listed, troubleOf } from "../prices/state";
import type { Activity, Alert } from "../prices/types";
import { PricesWatcher } from "../prices/watcher";
import { activityText, age, firedText, sourceName, sourceState, whyStale } from "../prices/words";
import { notify } from "../run/announce";
import { remember, remembered } from "../settings";

type Panel = "cards" | "chart" | "alerts" | "activity";
const PANELS: readonly [Panel, string][] = [["cards", "Prices"], ["chart", "Chart"], ["alerts", "Alerts"], ["activity", "Activity"]];
const INTERVALS = [1, 5, 10, 30];
const ORDERINGS: readonly [Ordering, string][] = [["traded", "most traded"], ["change", "largest rise"], ["symbol", "symbol"]];
const CHARTED_AT_FIRST = 3;
const MOST_CHARTED = 6;
const CLOCK_MS = 1000;
/** A connection that is back within this time is not worth a banner. */
const BANNER_AFTER_MS = 1500;

class PricesPage extends PageElement {
  static override properties = {
    interval: { state: true }, source: { state: true }, isPaused: { state: true }, search: { state: true }, ordering: { state: true }, charted: { state: true },
    panel: { state: true }, fired: { state: true },
  };

  interval = remembered("price-interval", 1);
  /** Prices of this source only; null means of whichever is in use. */
  source: string | null = null;
  isPaused = false;
  search = "";
  ordering: Ordering = remembered("price-ordering", "traded");
  /** Null until the user has chosen. */
  charted: string[] | null = remembered("price-chart", null);
  /** What a phone shows; a wide screen shows all. */
  panel: Panel = "cards";
  /** Alerts that fired while the page was open, until they are dismissed. */
  fired: Alert[] = [];

  private readonly watcher = new PricesWatcher(this, (alerts) => this.onFired(alerts));
  private clockTimer = 0;
  private wasLost = false;
  private pausedAt = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    document.title = "Prices · Candlestream";
    document.addEventListener("keydown", this.onKey);
    this.clockTimer = window.setInterval(() => this.requestUpdate(), CLOCK_MS);
    this.watcher.watch({ intervalSeconds: this.interval, source: this.source });
    void import("../prices/price-chart");
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.onKey);
    clearInterval(this.clockTimer);
  }

  protected override updated(): void {
    const isLost = this.watcher.lostAt !== null;
    if (this.wasLost && !isLost) void this.querySelector("cs-alerts")?.load();
    this.wasLost = isLost;
  }

  private readonly onKey = (key: KeyboardEvent): void => {
    const isTyping = (key.target as HTMLElement).closest("input, textarea, select, dialog") !== null;
    if (isTyping || key.ctrlKey || key.metaKey || key.altKey) return;
    if (key.key === "/") this.querySelector<HTMLElement>(".filter")?.focus();
    else if (key.key === "p") this.togglePause();
    else return;
    key.preventDefault();
  };

  private onFired(alerts: Alert[]): void {
    for (const alert of alerts) {
      this.querySelector("cs-alerts")?.put(alert);
      notify("Price alert", firedText(alert), alert.id);
    }
    this.fired = [...alerts, ...this.fired.filter(({ id }) => !alerts.some((one) => one.id === id))].slice(0, 5);
  }

  private togglePause(): void {
    this.isPaused = !this.isPaused;
    this.pausedAt = Date.now();
    if (this.isPaused) this.watcher.pause();
    else this.watcher.resume();
  }

  private choose(interval: number, source: string | null): void {
    [this.interval, this.source] = [interval, source];
    remember("price-interval", interval);
    this.watcher.want({ intervalSeconds: interval, source });
  }

  private get chartedSymbols(): string[] {
    const { state } = this.watcher;
    if (this.charted) return this.charted.filter((symbol) => state.tickers.has(symbol));
    return listed(state, "", "traded").slice(0, CHARTED_AT_FIRST).map(({ price }) => price.symbol);
  }

  private toggleCharted(symbol: string): void {
    const now = this.chartedSymbols;
    this.charted = now.includes(symbol) ? now.filter((one) => one !== symbol) : [...now, symbol].slice(-MOST_CHARTED);
    remember("price-chart", this.charted);
  }

  /** Now; in a paused page the moment it was paused, so that what stands still does not age. */
  private get now(): number {
    return this.isPaused ? this.pausedAt : Date.now();
  }

  protected override render(): TemplateResult {
    const { watcher } = this;
    if (!watcher.isLoaded && !watcher.refusal) return this.renderLoading();
    const isEmpty = watcher.state.tickers.size === 0;
    return html`
      ${this.renderBanners()}
      <div class="prices">
        ${this.renderHead()}
        ${this.fired.map((alert) => html`<p class="notice fired" role="alert"><b>Alert</b> ${firedText(alert)}
          <button class="button-link" aria-label="Dismiss the alert of ${alert.symbol}" @click=${() => { this.fired = this.fired.filter((one) => one !== alert); }}>Dismiss</button></p>`)}
        ${watcher.refusal ? html`<p class="notice notice-error" role="alert">${watcher.refusal} <button class="button-link" @click=${() => this.choose(this.interval, null)}>Show all prices</button></p>` : nothing}
        ${isEmpty ? this.renderEmpty() : this.renderBody()}
      </div>
      <cs-alert-dialog .prices=${[...watcher.state.tickers.values()].map(({ price }) => price).sort((a, b) => (a.symbol < b.symbol ? -1 : 1))}
        @added=${(added: CustomEvent<Alert>) => this.querySelector("cs-alerts")?.put(added.detail)}></cs-alert-dialog>`;
  }

  private renderLoading(): TemplateResult {
    return html`<div class="prices" aria-busy="true"><header class="prices-head"><h1>Prices</h1></header>
      <div class="prices-body" data-panel=${this.panel}><div class="prices-main"><div class="skeleton price-chart"></div>
        <ul class="price-cards">${Array.from({ length: 12 }, () => html`<li class="price-card skeleton"></li>`)}</ul></div></div></div>`;
  }

  private renderHead(): TemplateResult {
    const { status, tickers } = this.watcher.state;
    const facts = [
      status?.source && !status.is_replay ? sourceName(status.source) : "", tickers.size > 0 ? `${format.count(tickers.size)} symbols` : "",
      this.isPaused ? "paused" : this.watcher.connection === "polling" ? "asking, live connection is blocked here" : `every ${this.interval}${format.THIN}s`,
    ];
    return html`<header class="prices-head">
      <h1>Prices</h1>
      <p class="muted">${facts.filter(Boolean).join(" · ")}</p>
      ${status?.is_replay ? html`<span class="mark mark-generated" title="Stored candles, played again: not the prices of now.">replay</span>` : nothing}
      <div class="prices-controls">
        ${this.renderSources()}
        <div class="segments" role="group" aria-label="New prices every">${INTERVALS.map((seconds) => html`
          <button class="button" aria-pressed=${seconds === this.interval} @click=${() => this.choose(seconds, this.source)}>${seconds}${format.THIN}s</button>`)}</div>
        <button class="button" @click=${() => this.togglePause()}>${this.isPaused ? "Resume" : "Pause"}</button>
      </div>
    </header>`;
  }

  private renderSources(): TemplateResult {
    const sources = this.watcher.state.status?.sources ?? [];
    const option = (value: string | null, title: string, detail: string) => html`<label>
      <input type="radio" name="source" .checked=${this.source === value} @change=${() => this.choose(this.interval, value)}>
      <span><span class="source-name">${title}</span><span class="muted below">${detail}</span></span></label>`;
    return html`<details class="menu sources"><summary class="button">${this.source ? `Only ${sourceName(this.source)}` : "Sources"}</summary>
      <div class="menu-list" role="group" aria-label="Prices from">
        ${option(null, "Whichever is in use", "the first in this order that works")}
        ${sources.map((one) => option(one.name, `Only ${sourceName(one.name)}`, `${one.role}, ${sourceState(one)}`))}
      </div></details>`;
  }

  private renderBanners(): TemplateResult {
    const { state, lostAt } = this.watcher;
    const isLost = lostAt !== null && Date.now() - lostAt >= BANNER_AFTER_MS;
    const trouble = this.isPaused ? null : troubleOf(state, Date.now(), this.interval);
    const banners: TemplateResult[] = [];
    if (isLost) banners.push(html`Connection lost${quietly(` ${age(Date.now() - lostAt)} ago`)}. Prices shown are of before; it reconnects by itself.`);
    if (trouble?.kind === "stale" && state.tickers.size > 0 && !isLost) {
      banners.push(html`<b>Stale prices.</b> ${trouble.ageMs === null ? nothing : quietly(`The newest is ${age(trouble.ageMs)} old. `)}${whyStale(trouble.why)}`);
    }
    if (trouble?.kind === "outage") banners.push(html`<b>No source works</b> at the moment. Prices shown grow older until one does.`);
    if (trouble?.kind === "fallback") banners.push(html`<b>Fallback.</b> ${sourceName(trouble.missing)} does not work; prices come from ${sourceName(trouble.source)}.`);
    if (state.status?.is_replay) banners.push(html`<b>Replay.</b> Stored candles are played again: these are not the prices of today's market.`);
    return html`<div role="status" class="banners">${banners.map((text) => html`<div class="banner"><span>${text}</span></div>`)}</div>`;
  }

  private renderEmpty(): TemplateResult {
    if (this.source) {
      return html`<div class="empty"><h2>No prices from ${sourceName(this.source)}</h2><p>Another source is in use. Prices stand here when ${sourceName(this.source)} is.</p>
        <button class="button" @click=${() => this.choose(this.interval, null)}>Show all prices</button></div>`;
    }
    const isThere = this.watcher.state.status?.state !== "none";
    return html`<div class="empty">
      <h2>${isThere ? "Waiting for the first price" : "There is no price feed yet"}</h2>
      <p>${isThere ? "The feed runs, but no source has brought a price. Sources shows what each of them says." : "Start one, and prices stand here as soon as it has them:"}</p>
      ${isThere ? nothing : html`<p><code>python manage.py price_feed</code></p>
        <p>Without a network, <code>PRICE_SOURCES=replay</code> plays stored candles again, marked as replay.</p>`}
    </div>`;
  }

  private renderBody(): TemplateResult {
    const { state } = this.watcher;
    const shown = listed(state, this.search, this.ordering);
    const lines = this.chartedSymbols.map((symbol) => ({ symbol, points: state.tickers.get(symbol)!.points }));
    return html`
      <div class="panel-tabs" role="group" aria-label="Show">
        ${PANELS.map(([id, title]) => html`<button class="button" aria-pressed=${this.panel === id} @click=${() => { this.panel = id; }}>${title}</button>`)}
      </div>
      <div class="prices-body" data-panel=${this.panel}>
        <div class="prices-main">
          <section class="price-chart" aria-label="Chart">${lines.length > 0 ? html`<cs-price-chart .lines=${lines}></cs-price-chart>`
            : html`<p class="empty">Choose up to ${MOST_CHARTED} symbols by the line on their cards.</p>`}</section>
          <section class="price-list" aria-label="Prices by symbol">
            <div class="toolbar above">
              <input class="input filter" type="search" placeholder="Find a symbol" aria-label="Find a symbol" .value=${this.search}
                @input=${(input: Event) => { this.search = (input.target as HTMLInputElement).value; }}
                @keydown=${(key: KeyboardEvent) => { if (key.key === "Escape") { this.search = ""; (key.target as HTMLElement).blur(); } }}>
              <label class="order">Sort by <select @change=${(change: Event) => { this.ordering = (change.target as HTMLSelectElement).value as Ordering; remember("price-ordering", this.ordering); }}>
                ${ORDERINGS.map(([value, title]) => html`<option value=${value} ?selected=${value === this.ordering}>${title}</option>`)}</select></label>
            </div>
            <ul class="price-cards">${repeat(shown, ({ price }) => price.symbol, (ticker) => this.renderCard(ticker))}</ul>
            ${shown.length === 0 ? html`<div class="empty"><h2>No symbol matches</h2><button class="button" @click=${() => { this.search = ""; }}>Show all</button></div>` : nothing}
          </section>
        </div>
        <aside class="prices-side" aria-label="Alerts and activity">
          <cs-alerts @new-alert=${() => this.askForAlert(this.chartedSymbols[0])}></cs-alerts>
          ${this.renderActivity(state.activity)}
        </aside>
      </div>`;
  }

  private askForAlert(symbol?: string): void {
    void this.querySelector("cs-alert-dialog")?.ask(symbol);
  }

  private renderCard(ticker: Ticker): TemplateResult {
    const { state } = this.watcher;
    const { symbol } = ticker.price;
    return priceCard(ticker, ageOf(state, ticker.price, this.now), isStale(state, ticker.price, this.now, this.interval), {
      isCharted: this.chartedSymbols.includes(symbol), onChart: () => this.toggleCharted(symbol), onAlert: () => this.askForAlert(symbol),
    });
  }

  private renderActivity(entries: readonly Activity[]): TemplateResult {
    return html`<section class="feed activity" aria-label="Activity"><div class="panel-head"><h2>Activity</h2></div>
      ${entries.length === 0 ? html`<p class="muted">Large moves, new highs and lows, and changes of the source will stand here.</p>` : html`
        <ol tabindex="0" aria-label="Activity, newest first">${repeat(entries, ({ id }) => id, (entry) => {
          const { about, what, tone } = activityText(entry);
          const at = new Date(entry.at_ms).toISOString();
          return html`<li><time class="muted" datetime=${at} title=${format.utcSecond(at)}>${format.clock(at)}</time><b class="truncate">${about}</b><span class=${tone}>${what}</span></li>`;
        })}</ol>`}
    </section>`;
  }
}

/** What changes every second is shown, but not read out every second. */
const quietly = (text: string): TemplateResult => html`<span aria-hidden="true">${text}</span>`;

customElements.define("cs-prices", PricesPage);

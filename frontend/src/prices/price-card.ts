/** One symbol's price: where it goes, who says so, and how old it is. The card leads to a run of that symbol. */

import { html, nothing, type TemplateResult } from "lit";

import * as format from "../format";
import { sparkline } from "../parts/sparkline";
import { USUAL_QUOTE, shortName, splitSymbol } from "../table/symbols";
import type { Ticker } from "./state";
import { ARROWS, age, sourceName, toneOf, wayOf } from "./words";

const SPARK_POINTS = 60;
/** The source that plays stored candles again: its mark says all. */
const REPLAY = "replay";
const WAYS = { up: "risen", down: "fallen", flat: "" };

export interface CardActions {
  isCharted: boolean;
  onChart(): void;
  onAlert(): void;
}

export function priceCard({ price, before, points }: Ticker, ageMs: number, isStale: boolean, actions: CardActions): TemplateResult {
  const [base, quote] = splitSymbol(price.symbol);
  const isReplay = price.source === REPLAY;
  const tick = before === null ? 0 : price.price - before;
  return html`<li class="price-card ${isStale ? "is-stale" : ""}" data-symbol=${price.symbol}>
    <div class="price-head">
      <a class="price-link" href="/?symbols=${encodeURIComponent(price.symbol)}" title="Backtest ${shortName(price.symbol)}">${base} <span class="quote ${quote === USUAL_QUOTE ? "usual" : ""}">${quote}</span></a>
      <span class="grow"></span>
      <button class="icon-button" aria-label="New alert for ${shortName(price.symbol)}" title="New alert" @click=${actions.onAlert}>
        <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true"><path d="M3 10V6.5a4 4 0 0 1 8 0V10l1 1H2zM5.8 12.5h2.4" fill="none" stroke="currentColor" stroke-width="1.3" stroke-linejoin="round" /></svg>
      </button>
      <button class="icon-button" aria-pressed=${actions.isCharted} aria-label="${shortName(price.symbol)} in the chart" title="Show in the chart" @click=${actions.onChart}>
        <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true"><path d="M1.5 11.5 5 7l3 2.5L12.5 3" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" /></svg>
      </button>
    </div>
    <div class="price-value"><b>${format.price(price.price)}</b><span class="tick ${toneOf(tick)}">${ARROWS[wayOf(tick)]}<span class="visually-hidden"> ${WAYS[wayOf(tick)]}</span></span></div>
    <div class="price-change">
      <span class=${toneOf(price.change_24h)}>${ARROWS[wayOf(price.change_24h)]} ${format.signedPercent(price.change_24h)}</span><span class="muted wide">24 h</span>
      ${sparkline(points.slice(-SPARK_POINTS).map(([, value]) => value))}
    </div>
    <div class="price-source">
      ${isReplay ? nothing : html`<span class="truncate">${sourceName(price.source)}</span>`}
      ${price.is_replay ? html`<span class="mark mark-generated" title="Stored candles, played again: not the price of now.">replay</span>` : nothing}
      ${price.role === "primary" ? nothing : html`<span class="mark mark-warning" title="Another source stands in for the primary one.">${price.role}</span>`}
      <span class="grow"></span>
      ${isStale ? html`<span class="mark mark-warning">stale ${age(ageMs)}</span>` : html`<span class="age">${age(ageMs)}</span>`}
    </div>
  </li>`;
}

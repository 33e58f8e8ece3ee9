/** Candles with the fills of every trade, drawn by Lightweight Charts. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import {
  CandlestickSeries, ColorType, CrosshairMode, HistogramSeries, type IChartApi, LineSeries, type LogicalRange, type SeriesMarker, type UTCTimestamp, createChart,
  createSeriesMarkers,
} from "lightweight-charts";

import type { CandleArrays } from "../api/client";
import type { Trade } from "../api/types";
import { PageElement } from "../element";
import * as format from "../format";
import { THEME_CHANGED, colour } from "../theme";
import type { Overlay } from "./overlays";

const seconds = (ms: number): UTCTimestamp => (ms / 1000) as UTCTimestamp;

const DAY_MS = 86_400_000;
/** How much of the end a button shows; all else is reached by dragging. */
const SPANS: readonly [string, number][] = [["1W", 7], ["1M", 30], ["3M", 91], ["1Y", 365]];
const FIRST_BARS = 400;
/** Below this share of its highest price a coin has collapsed. */
const WORTHLESS = 0.001;
const MARGIN_BARS = 4;
/** Of the candles' pane. */
const VOLUME_SHARE = 0.16;
const OVERLAY_COLOURS = ["accent", "warn", "muted"];

class CandleChart extends PageElement {
  static override properties = { candles: { attribute: false }, trades: { attribute: false }, openTrade: { attribute: false }, overlays: { attribute: false }, focusTrade: { attribute: false },
    pointed: { state: true } };

  candles: CandleArrays | null = null;
  trades: readonly Trade[] = [];
  /** The position that is still open at the end; only its entry is a fill. */
  openTrade: Trade | null = null;
  overlays: readonly Overlay[] = [];
  /** The trade to show in the middle. */
  focusTrade: Trade | null = null;

  /** The bar under the pointer. */
  pointed: number | null = null;

  private chart: IChartApi | null = null;
  /** Asked for, and not on the screen before the chart's next frame; a redraw until then must not forget it. */
  private asked: LogicalRange | null = null;
  private readonly redraw = () => this.draw();

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener(THEME_CHANGED, this.redraw);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener(THEME_CHANGED, this.redraw);
    this.destroy();
  }

  protected override render(): TemplateResult {
    return html`<div class="candle-host" role="img" aria-label="Candles and the fills of all trades"></div>
      ${this.candles ? this.renderLegend(this.candles) : nothing}
      ${this.candles ? this.renderSpans(this.candles) : nothing}
      <p class="attribution">Charts by <a href="https://www.tradingview.com/" target="_blank" rel="noopener noreferrer">TradingView Lightweight Charts</a></p>`;
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("candles") || changed.has("trades") || changed.has("overlays") || !this.chart) this.draw();
    if (changed.has("focusTrade") && this.focusTrade) this.showTrade(this.focusTrade);
  }

  /** The bar under the pointer in numbers, else the last one; the overlays' values in their colours. */
  private renderLegend({ time_ms, open, high, low, close }: CandleArrays): TemplateResult {
    const bar = this.pointed ?? time_ms.length - 1;
    const change = close[bar]! / open[bar]! - 1;
    const tone = change > 0 ? "gain" : change < 0 ? "loss" : "";
    const parts = [["O", open], ["H", high], ["L", low], ["C", close]] as const;
    return html`<div class="candle-legend" aria-hidden="true">
      <span>${format.utcMinute(time_ms[bar]!)}</span>
      ${parts.map(([name, values]) => html`<span>${name} <b class=${tone}>${format.price(values[bar])}</b></span>`)}
      <b class=${tone}>${format.signedPercentPoints(change, 2)}${format.THIN}%</b>
      ${this.overlays.map(({ title, values }, index) => html`<span class="overlay-${OVERLAY_COLOURS[index % OVERLAY_COLOURS.length]}">${title} ${
        Number.isNaN(values[bar]) ? format.NONE : format.price(values[bar])}</span>`)}
    </div>`;
  }

  private renderSpans({ time_ms }: CandleArrays): TemplateResult {
    const intervalMs = time_ms.length > 1 ? time_ms[1]! - time_ms[0]! : DAY_MS;
    const bars = (days: number) => Math.round((days * DAY_MS) / intervalMs);
    const fitting = SPANS.filter(([, days]) => bars(days) >= 5 && bars(days) < time_ms.length);
    const end = time_ms.length + MARGIN_BARS;
    return html`<div class="spans" role="group" aria-label="Range of the chart">
      ${fitting.map(([title, days]) => html`<button class="button button-plain" @click=${() => this.show(end - bars(days), end)}>${title}</button>`)}
      <button class="button button-plain" @click=${() => this.chart?.timeScale().fitContent()}>All</button>
    </div>`;
  }

  private destroy(): void {
    this.chart?.remove();
    this.chart = null;
  }

  private draw(): void {
    const range = this.chart?.timeScale().getVisibleRange() ?? null;
    this.destroy();
    const host = this.querySelector<HTMLElement>(".candle-host");
    const candles = this.candles;
    if (!host || !candles || !this.isConnected) return; // nobody would free the chart of an element that was left
    const places = format.pricePlaces(typicalPrice(candles.close));
    const [gain, loss, line] = [colour("gain"), colour("loss"), colour("line")];
    const chart = createChart(host, {
      autoSize: true,
      layout: { attributionLogo: false, background: { type: ColorType.Solid, color: colour("surface") }, textColor: colour("muted"), fontFamily: getComputedStyle(this).fontFamily, fontSize: 11, panes: { separatorColor: line } },
      grid: { vertLines: { color: line }, horzLines: { color: line } },
      crosshair: { mode: CrosshairMode.Normal },
      rightPriceScale: { borderColor: line },
      timeScale: { borderColor: line, timeVisible: true, secondsVisible: false, minBarSpacing: 0.01 },
    });
    const series = chart.addSeries(CandlestickSeries, {
      upColor: gain, wickUpColor: gain, borderUpColor: gain, downColor: loss, wickDownColor: loss, borderDownColor: loss, priceLineVisible: false,
      priceFormat: { type: "custom", formatter: (value: number) => format.number(value, places), minMove: 1e-10 },
    });
    series.setData(candles.time_ms.map((time, index) => ({
      time: seconds(time), open: candles.open[index]!, high: candles.high[index]!, low: candles.low[index]!, close: candles.close[index]!,
    })));
    createSeriesMarkers(series, this.markers(gain, loss));
    this.addVolume(chart, candles);
    this.addOverlays(chart, candles);
    this.chart = chart;
    if (this.asked) this.show(this.asked.from, this.asked.to);
    else if (range) chart.timeScale().setVisibleRange(range);
    else this.show(candles.time_ms.length - FIRST_BARS, candles.time_ms.length + MARGIN_BARS);
    chart.timeScale().subscribeVisibleLogicalRangeChange(() => { this.asked = null; });
    chart.subscribeCrosshairMove(({ logical }) => {
      this.pointed = logical === undefined || logical < 0 || logical >= candles.time_ms.length ? null : logical;
    });
  }

  /** By the number of the bar. */
  private show(from: number, to: number): void {
    this.asked = { from, to } as LogicalRange;
    this.chart?.timeScale().setVisibleLogicalRange(this.asked);
  }

  private addVolume(chart: IChartApi, { time_ms, open, close, volume }: CandleArrays): void {
    if (!volume) return;
    const [up, down] = [colour("gain-soft"), colour("loss-soft")];
    const bars = chart.addSeries(HistogramSeries, { priceScaleId: "volume", priceLineVisible: false, lastValueVisible: false, priceFormat: { type: "volume" } });
    bars.priceScale().applyOptions({ scaleMargins: { top: 1 - VOLUME_SHARE, bottom: 0 } });
    bars.setData(time_ms.map((time, bar) => ({ time: seconds(time), value: volume[bar]!, color: close[bar]! >= open[bar]! ? up : down })));
    bars.setSeriesOrder(0); // behind the candles
  }

  private markers(gain: string, loss: string): SeriesMarker<UTCTimestamp>[] {
    const markers: SeriesMarker<UTCTimestamp>[] = [];
    const accent = colour("accent");
    const entry = ({ side, entry_time }: Pick<Trade, "side" | "entry_time">): SeriesMarker<UTCTimestamp> => ({
      time: seconds(Date.parse(entry_time)), position: side === "long" ? "belowBar" : "aboveBar", shape: side === "long" ? "arrowUp" : "arrowDown", color: accent,
    });
    if (this.openTrade) markers.push(entry(this.openTrade));
    for (const trade of this.trades) {
      const isLong = trade.side === "long";
      markers.push(entry(trade));
      markers.push({
        time: seconds(Date.parse(trade.exit_time)), position: isLong ? "aboveBar" : "belowBar", shape: isLong ? "arrowDown" : "arrowUp",
        color: trade.pnl > 0 ? gain : loss, text: format.signedPercent(trade.return),
      });
    }
    return markers.sort((a, b) => a.time - b.time);
  }

  private addOverlays(chart: IChartApi, candles: CandleArrays): void {
    const colours = OVERLAY_COLOURS.map(colour);
    for (const [index, overlay] of this.overlays.entries()) {
      const line = chart.addSeries(LineSeries, {
        color: colours[index % colours.length]!, lineWidth: 1, priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false,
        ...(overlay.pane > 0 ? { priceFormat: { type: "custom" as const, formatter: (value: number) => format.price(value), minMove: 1e-10 } } : {}),
      }, overlay.pane);
      line.setData(candles.time_ms.map((time, bar) => {
        const value = overlay.values[bar]!;
        return Number.isNaN(value) ? { time: seconds(time) } : { time: seconds(time), value };
      }));
      for (const level of overlay.levels) line.createPriceLine({ price: level, color: colour("line-strong"), lineWidth: 1, lineStyle: 2, axisLabelVisible: true, title: "" });
    }
    for (const pane of chart.panes().slice(1)) pane.setStretchFactor(0.3);
  }

  private showTrade(trade: Trade): void {
    if (!this.candles) return;
    const times = this.candles.time_ms;
    const at = (iso: string) => Math.max(0, times.findIndex((time) => time >= Date.parse(iso)));
    const [from, to] = [at(trade.entry_time), at(trade.exit_time)];
    const margin = Math.max(30, Math.round((to - from) * 0.75));
    this.show(from - margin, to + margin);
  }
}

/** The price whose digits suit the axis: the last, unless next to nothing is left of what it was. */
function typicalPrice(closes: readonly number[]): number {
  const [last, highest] = [closes.at(-1) ?? 0, closes.reduce((most, one) => Math.max(most, one), 0)];
  return last < highest * WORTHLESS ? highest : last;
}

customElements.define("cs-candle-chart", CandleChart);

/** Candles with the fills of every trade, drawn by Lightweight Charts. */

import { html, type PropertyValues, type TemplateResult } from "lit";
import {
  CandlestickSeries, ColorType, type IChartApi, type ISeriesApi, LineSeries, type SeriesMarker, type UTCTimestamp, createChart, createSeriesMarkers,
} from "lightweight-charts";

import type { CandleArrays } from "../api/client";
import type { Trade } from "../api/types";
import { PageElement } from "../element";
import * as format from "../format";
import { THEME_CHANGED, colour } from "../theme";
import type { Overlay } from "./overlays";

const seconds = (ms: number): UTCTimestamp => (ms / 1000) as UTCTimestamp;

class CandleChart extends PageElement {
  static override properties = { candles: { attribute: false }, trades: { attribute: false }, overlays: { attribute: false }, focusTrade: { attribute: false } };

  candles: CandleArrays | null = null;
  trades: readonly Trade[] = [];
  overlays: readonly Overlay[] = [];
  /** The trade to show in the middle. */
  focusTrade: Trade | null = null;

  private chart: IChartApi | null = null;
  private series: ISeriesApi<"Candlestick"> | null = null;
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
      <p class="attribution">Charts by <a href="https://www.tradingview.com/" target="_blank" rel="noopener noreferrer">TradingView Lightweight Charts</a></p>`;
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("candles") || changed.has("trades") || changed.has("overlays") || !this.chart) this.draw();
    if (changed.has("focusTrade") && this.focusTrade) this.showTrade(this.focusTrade);
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
    if (!host || !candles) return;
    const [gain, loss, line] = [colour("gain"), colour("loss"), colour("line")];
    const chart = createChart(host, {
      autoSize: true,
      layout: { attributionLogo: false, background: { type: ColorType.Solid, color: colour("surface") }, textColor: colour("muted"), fontFamily: getComputedStyle(this).fontFamily, fontSize: 11, panes: { separatorColor: line } },
      grid: { vertLines: { color: line }, horzLines: { color: line } },
      rightPriceScale: { borderColor: line },
      timeScale: { borderColor: line, timeVisible: true, secondsVisible: false, minBarSpacing: 0.01 },
    });
    const series = chart.addSeries(CandlestickSeries, {
      upColor: gain, wickUpColor: gain, borderUpColor: gain, downColor: loss, wickDownColor: loss, borderDownColor: loss, priceLineVisible: false,
      priceFormat: { type: "custom", formatter: (value: number) => format.price(value), minMove: 1e-10 },
    });
    series.setData(candles.time_ms.map((time, index) => ({
      time: seconds(time), open: candles.open[index]!, high: candles.high[index]!, low: candles.low[index]!, close: candles.close[index]!,
    })));
    createSeriesMarkers(series, this.markers(gain, loss));
    this.addOverlays(chart, candles);
    if (range) chart.timeScale().setVisibleRange(range);
    else chart.timeScale().setVisibleLogicalRange({ from: candles.time_ms.length - 400, to: candles.time_ms.length + 4 });
    this.chart = chart;
    this.series = series;
  }

  private markers(gain: string, loss: string): SeriesMarker<UTCTimestamp>[] {
    const markers: SeriesMarker<UTCTimestamp>[] = [];
    const accent = colour("accent");
    for (const trade of this.trades) {
      const isLong = trade.side === "long";
      markers.push({ time: seconds(Date.parse(trade.entry_time)), position: isLong ? "belowBar" : "aboveBar", shape: isLong ? "arrowUp" : "arrowDown", color: accent });
      markers.push({
        time: seconds(Date.parse(trade.exit_time)), position: isLong ? "aboveBar" : "belowBar", shape: isLong ? "arrowDown" : "arrowUp",
        color: trade.pnl > 0 ? gain : loss, text: format.signedPercent(trade.return),
      });
    }
    return markers.sort((a, b) => a.time - b.time);
  }

  private addOverlays(chart: IChartApi, candles: CandleArrays): void {
    const colours = [colour("accent"), colour("warn"), colour("muted")];
    for (const [index, overlay] of this.overlays.entries()) {
      const line = chart.addSeries(LineSeries, {
        color: colours[index % colours.length]!, lineWidth: 1, priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false,
        title: overlay.title, ...(overlay.pane > 0 ? { priceFormat: { type: "custom" as const, formatter: (value: number) => format.price(value), minMove: 1e-10 } } : {}),
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
    if (!this.chart || !this.series || !this.candles) return;
    const times = this.candles.time_ms;
    const at = (iso: string) => Math.max(0, times.findIndex((time) => time >= Date.parse(iso)));
    const [from, to] = [at(trade.entry_time), at(trade.exit_time)];
    const margin = Math.max(30, Math.round((to - from) * 0.75));
    this.chart.timeScale().setVisibleLogicalRange({ from: from - margin, to: to + margin });
  }
}

customElements.define("cs-candle-chart", CandleChart);

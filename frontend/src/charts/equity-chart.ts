/** Equity against buy and hold, and the drawdown below it, on one time axis. */

import uPlot from "uplot";

import * as format from "../format";
import { colour } from "../theme";
import { PlotElement } from "./plot-element";
import { timeMarks } from "./time-marks";

const DRAWDOWN_SHARE = 0.32;
const AXIS_WIDTH = 64;

class EquityChart extends PlotElement {
  static override properties = {
    times: { attribute: false }, equity: { attribute: false }, drawdown: { attribute: false }, buyHold: { attribute: false }, label: {},
  };

  times: readonly number[] = [];
  equity: readonly number[] = [];
  /** Fractions, at the same times. */
  drawdown: readonly number[] = [];
  /** Account value of buying at the first open and holding, at the same times; empty where no candles are known. */
  buyHold: readonly (number | null)[] = [];
  label = "Equity and drawdown";

  protected override get description(): string {
    return this.label;
  }

  private sizes(): { width: number; top: number; bottom: number } {
    const { clientWidth, clientHeight } = this;
    const bottom = Math.round(clientHeight * DRAWDOWN_SHARE);
    return { width: clientWidth, top: clientHeight - bottom, bottom };
  }

  protected override resize(): void {
    const { width, top, bottom } = this.sizes();
    this.plots[0]?.setSize({ width, height: top });
    this.plots[1]?.setSize({ width, height: bottom });
  }

  protected override draw(host: HTMLElement): void {
    this.destroy();
    if (this.times.length < 2) return;
    const { width, top, bottom } = this.sizes();
    const seconds = this.times.map((ms) => ms / 1000);
    const gain = colour("gain");
    const loss = colour("loss");
    const muted = colour("muted");
    const sync = { key: "equity" };
    const equity = new uPlot({
      ...this.frame(width, top, sync, (value) => format.compact(value), false),
      series: [time(), { label: "Equity", stroke: gain, width: 1.5, points: { show: false }, value: (_plot, value: number | null) => format.money(value) },
        ...(this.buyHold.length > 0 ? [{ label: "Buy and hold", stroke: muted, width: 1, dash: [4, 3], points: { show: false }, value: (_plot: uPlot, value: number | null) => format.money(value) }] : [])],
    }, [seconds, [...this.equity], ...(this.buyHold.length > 0 ? [[...this.buyHold]] : [])], host);
    const drawdown = new uPlot({
      ...this.frame(width, bottom, sync, (value, step) => format.number(value, step < 1 ? 1 : 0), true),
      series: [time(), { label: "Drawdown, %", stroke: loss, fill: colour("loss-soft"), width: 1, points: { show: false }, value: (_plot, value: number | null) => format.number(value, 1) }],
    }, [seconds, this.drawdown.map((one) => -100 * one)], host);
    this.plots = [equity, drawdown];
    for (const plot of this.plots) plot.setLegend({ idx: seconds.length - 1 });
  }

  private frame(width: number, height: number, sync: { key: string }, write: (value: number, step: number) => string, isLast: boolean): Omit<uPlot.Options, "series"> {
    const axis = this.axis();
    return {
      width, height,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: { sync: { key: sync.key }, drag: { x: true, y: false } },
      hooks: { setCursor: [(plot) => { if (plot.cursor.idx === null) plot.setLegend({ idx: plot.data[0].length - 1 }); }] },
      legend: { live: true },
      scales: { x: { time: true } },
      padding: [8, 8, 0, 0],
      axes: [
        { ...axis, size: isLast ? 36 : 6, values: isLast ? (_plot, all) => timeMarks(all) : () => [] },
        { ...axis, size: AXIS_WIDTH, space: isLast ? 20 : 30, values: (_plot, values, _axis, _space, step) => values.map((value) => write(value, step)) },
      ],
    };
  }
}

const time = (): uPlot.Series => ({ label: "UTC", value: (_plot, seconds: number | null) => (seconds === null ? format.NONE : format.utcMinute(seconds * 1000)) });

customElements.define("cs-equity-chart", EquityChart);

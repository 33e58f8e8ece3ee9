/** The live chart: one symbol's price, or several symbols' change since the chart's beginning. */

import uPlot from "uplot";

import { PlotElement } from "../charts/plot-element";
import * as format from "../format";
import { shortName } from "../table/symbols";
import { colour } from "../theme";
import { type Line, aligned } from "./series";

/** Told apart by dash as well as by colour. */
const STYLES: readonly [token: string, dash: number[]][] = [
  ["accent", []], ["gain", []], ["loss", []], ["warn", [6, 3]], ["muted", [2, 2]], ["text", [8, 2, 2, 2]],
];
export const MOST_LINES = STYLES.length;
const AXIS_WIDTH = 72;

class PriceChart extends PlotElement {
  static override properties = { lines: { attribute: false } };

  lines: readonly Line[] = [];

  /** The symbols of the plot there is. */
  private drawn = "";

  protected override get description(): string {
    const names = this.lines.map(({ symbol }) => shortName(symbol)).join(", ");
    return `Live chart of ${names || "no symbol"}`;
  }

  /** The same lines get new points; other lines make another plot. */
  protected override draw(host: HTMLElement): void {
    const { times, values } = aligned(this.lines);
    const names = this.lines.map(({ symbol }) => symbol).join();
    if (names !== this.drawn) this.destroy();
    this.drawn = names;
    const [plot] = this.plots;
    if (plot) plot.setData([times, ...values]);
    else this.plots = [new uPlot(this.options(), [times, ...values], host)];
    this.showNewest(this.plots[0]!);
  }

  protected override resize(): void {
    this.plots[0]?.setSize(this.size());
  }

  /** While nobody points at the chart, the legend has the newest values. */
  private showNewest(plot: uPlot): void {
    if ((plot.cursor.left ?? -1) >= 0) return;
    const idxs = plot.data.map((values) => values.findLastIndex((value) => value !== null));
    plot.setLegend({ idxs }, false);
    const size = this.size();
    if (size.height !== plot.height) plot.setSize(size); // the legend needs another line
  }

  private size(): { width: number; height: number } {
    const legend = this.querySelector<HTMLElement>(".u-legend")?.offsetHeight ?? 24;
    return { width: this.clientWidth, height: this.clientHeight - legend };
  }

  private options(): uPlot.Options {
    const isOne = this.lines.length === 1;
    const write = (value: number | null) => (isOne ? format.price(value) : `${format.signed(value, 2)}${format.THIN}%`);
    const axis = this.axis();
    return {
      ...this.size(),
      cursor: { drag: { x: true, y: false } },
      legend: { live: true },
      padding: [8, 28, 0, 0],
      axes: [{ ...axis, size: 28, space: 80, values: (_plot, all) => all.map((seconds) => clockOf(seconds, all)) }, { ...axis, size: AXIS_WIDTH, values: (_plot, all) => all.map(write) }],
      series: [
        { label: "Time", value: (_plot, seconds: number | null) => (seconds === null ? format.NONE : format.clock(new Date(seconds * 1000).toISOString())) },
        ...this.lines.map(({ symbol }, index) => this.series(symbol, index, write)),
      ],
    };
  }

  private series(symbol: string, index: number, write: (value: number | null) => string): uPlot.Series {
    const [token, dash] = STYLES[index % STYLES.length]!;
    return {
      label: shortName(symbol), stroke: colour(token), width: 1.5, dash, spanGaps: true, points: { show: false },
      value: (_plot, value: number | null) => write(value),
    };
  }
}

/** Hours and minutes, with seconds where the marks are closer than a minute. */
function clockOf(seconds: number, all: readonly number[]): string {
  const text = format.clock(new Date(seconds * 1000).toISOString());
  return (all[1] ?? 0) - (all[0] ?? 0) < 60 ? text : text.slice(0, 5);
}

customElements.define("cs-price-chart", PriceChart);

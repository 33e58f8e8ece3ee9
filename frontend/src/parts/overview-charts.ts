/** The shape of all results so far: a histogram of returns, and each return against its drawdown. */

import { html, nothing, svg, type TemplateResult } from "lit";

import { type Bin, extent, histogram } from "../charts/distribution";
import * as format from "../format";
import { navigate, resultPath } from "../router";
import type { Row } from "../run/state";
import { median, returnsOf } from "../run/statistics";

const WIDTH = 320;
const BARS = 80;
const DOTS = 152;
/** Where there is room below. */
const TALL_DOTS = 304;
const LEFT = 48;
const GAP = 1;
const MIN_LABEL_GAP = 48;
const LABEL_HEIGHT = 16;

const points = (fraction: number): string => `${format.signedPercentPoints(fraction, Math.abs(fraction) < 0.0995 && fraction !== 0 ? 1 : 0)}`;

const binTitle = ({ from, to, count }: Bin): string =>
  `${to === Infinity ? `${points(from)}${format.THIN}% and more` : `${points(from)} to ${points(to)}${format.THIN}%`}: ${count}`;

export function returnHistogram(rows: readonly Row[]): TemplateResult {
  const returns = returnsOf(rows);
  const bins = histogram(returns);
  const highest = Math.max(1, ...bins.map(({ count }) => count));
  const width = WIDTH / Math.max(1, bins.length);
  const middle = median(returns);
  const at = (value: number) => positionIn(bins, value) * width;
  return html`<figure class="overview-chart">
    <figcaption><h2>Returns</h2><span class="muted">%, results per bin</span></figcaption>
    <svg viewBox="0 0 ${WIDTH} ${BARS + 20}" role="img" aria-label=${`Histogram of ${returns.length} returns${middle === null ? "" : `, median ${format.signedPercent(middle)}`}`}>
      ${bins.map((bin, index) => {
        const height = (bin.count / highest) * BARS;
        return svg`<rect class=${bin.from >= 0 ? "gain" : "loss"} x=${index * width + GAP / 2} y=${BARS - height} width=${Math.max(0.5, width - GAP)} height=${height}><title>${binTitle(bin)}</title></rect>`;
      })}
      <path class="axis" d="M0 ${BARS + 0.5}H${WIDTH}" />
      ${middle === null ? nothing : svg`<path class="median" d="M${at(middle)} 0V${BARS}" />`}
      ${bins.length > 0 ? svg`
        <text x="0" y=${BARS + 14}>${points(bins[0]!.from)}</text>
        ${bins[0]!.from < 0 && at(0) > MIN_LABEL_GAP && at(0) < WIDTH - MIN_LABEL_GAP ? svg`<text x=${at(0)} y=${BARS + 14} text-anchor="middle">0</text>` : nothing}
        <text x=${WIDTH} y=${BARS + 14} text-anchor="end">${bins.at(-1)!.to === Infinity ? `${points(bins.at(-1)!.from)} +` : points(bins.at(-1)!.to)}</text>` : nothing}
    </svg>
  </figure>`;
}

/** How many bins lie below a value, with the fraction of its own. */
function positionIn(bins: readonly Bin[], value: number): number {
  if (bins.length === 0) return 0;
  const { from } = bins[0]!;
  const width = bins.length > 1 ? bins[1]!.from - from : 1;
  return Math.min(bins.length, Math.max(0, (value - from) / width));
}

export function returnScatter(rows: readonly Row[], runId: string, isTall: boolean): TemplateResult {
  const height = isTall ? TALL_DOTS : DOTS;
  const shown = rows.filter(({ metrics }) => typeof metrics["total_return"] === "number" && typeof metrics["max_drawdown"] === "number");
  const [low, high] = extent(shown.map(({ metrics }) => metrics["total_return"]!));
  const x = (drawdown: number) => LEFT + drawdown * (WIDTH - LEFT - 6);
  const y = (value: number) => height - ((Math.min(high, value) - low) / (high - low)) * height;
  return html`<figure class="overview-chart">
    <figcaption><h2>Return against drawdown</h2><span class="muted">%</span></figcaption>
    <svg viewBox="0 0 ${WIDTH} ${height + 20}" role="img" aria-label="Return and maximum drawdown of ${shown.length} results"
      @click=${(click: MouseEvent) => openDot(click, runId)}>
      <path class="axis" d="M${LEFT} 0V${height}H${WIDTH}" />
      <path class="zero" d="M${LEFT} ${y(0)}H${WIDTH}" />
      ${[0, 0.25, 0.5, 0.75, 1].map((share) => svg`<text x=${share === 1 ? WIDTH : x(share)} y=${height + 14} text-anchor=${share === 1 ? "end" : "middle"}>${share * 100}</text>`)}
      ${[high, 0, low].filter((value) => value === 0 || Math.abs(y(value) - y(0)) > LABEL_HEIGHT).map((value) => svg`<text x=${LEFT - 6} y=${Math.min(height, Math.max(9, y(value) + 4))} text-anchor="end">${value === 0 ? "0" : points(value)}</text>`)}
      ${shown.map(({ symbol, metrics }) => {
        const value = metrics["total_return"]!;
        return svg`<circle class="dot ${value > 0 ? "gain" : value < 0 ? "loss" : "muted"}" data-symbol=${symbol} cx=${x(metrics["max_drawdown"]!)} cy=${y(value)} r=${value > high ? 2 : 3}><title>${symbol}: ${format.signedPercent(value)}, drawdown ${format.percent(metrics["max_drawdown"], 1)}</title></circle>`;
      })}
    </svg>
  </figure>`;
}

function openDot(click: MouseEvent, runId: string): void {
  const symbol = (click.target as Element).closest<SVGElement>("[data-symbol]")?.dataset["symbol"];
  if (symbol) navigate(resultPath(runId, symbol));
}

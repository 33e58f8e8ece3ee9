/** An equity curve the size of a word. */

import { nothing, svg, html, type TemplateResult } from "lit";

export const SPARK_WIDTH = 96;
export const SPARK_HEIGHT = 24;
const MARGIN = 2;

/** The path of the values, and the height of the first of them: gain or loss is read against it. Pure. */
export function sparkPath(values: readonly number[], width = SPARK_WIDTH, height = SPARK_HEIGHT): { path: string; start: number } {
  const low = Math.min(...values);
  const span = Math.max(...values) - low;
  const y = (value: number) => (span === 0 ? height / 2 : height - MARGIN - ((value - low) / span) * (height - 2 * MARGIN));
  const step = width / Math.max(1, values.length - 1);
  const points = values.map((value, index) => `${(index * step).toFixed(1)} ${y(value).toFixed(1)}`);
  return { path: `M${points.join("L")}`, start: y(values[0]!) };
}

export function sparkline(values: readonly number[]): TemplateResult | typeof nothing {
  if (values.length < 2) return nothing;
  const { path, start } = sparkPath(values);
  const change = values.at(-1)! - values[0]!;
  const tone = change > 0 ? "gain" : change < 0 ? "loss" : "muted";
  return html`<svg class="spark ${tone}" width=${SPARK_WIDTH} height=${SPARK_HEIGHT} viewBox="0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}" preserveAspectRatio="none" aria-hidden="true">
    ${svg`<path class="spark-base" d="M0 ${start}H${SPARK_WIDTH}" /><path d=${path} />`}
  </svg>`;
}

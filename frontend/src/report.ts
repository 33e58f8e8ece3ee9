/**
 * A run as one file that opens anywhere: its request, its figures, its results and their curves, without any script.
 */

import * as format from "./format";
import type { Row, RunState } from "./run/state";
import { statistics } from "./run/statistics";
import { executionSettings } from "./run/settings-text";
import { parameterText } from "./run/strategies";
import { sparkPath } from "./parts/sparkline";
import { histogram } from "./charts/distribution";
import { COLUMNS } from "./table/columns";

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#e2e5ea, #252b36); --muted: light-dark(#59616f, #9aa4b4); --gain: light-dark(#00705f, #41cbb2); --loss: light-dark(#b53f0a, #ff936a); }
body { margin: 0 auto; padding: 24px; max-width: 1200px; font: 13px/20px system-ui, sans-serif; font-variant-numeric: tabular-nums; background: light-dark(#fff, #0e1116); color: light-dark(#14181f, #e6e9ef); }
h1 { font-size: 20px; line-height: 28px; margin: 0 0 4px; } h2 { font-size: 13px; margin: 24px 0 8px; }
p { margin: 0 0 8px; } .muted { color: var(--muted); } .gain { color: var(--gain); } .loss { color: var(--loss); }
table { border-collapse: collapse; width: 100%; } th, td { padding: 4px 10px 4px 0; border-bottom: 1px solid var(--line); text-align: right; font-weight: 400; white-space: nowrap; }
thead th { color: var(--muted); } th:first-child { text-align: left; font-weight: 600; }
dl { display: flex; flex-wrap: wrap; gap: 8px 32px; margin: 16px 0; } dt { color: var(--muted); } dd { margin: 0; font-size: 20px; font-weight: 600; }
svg { display: block; } svg path { fill: none; stroke: currentColor; stroke-width: 1.25; } rect.gain { fill: var(--gain); } rect.loss { fill: var(--loss); }`;

const tone = (value: number | null | undefined): string => (!value ? "" : value > 0 ? "gain" : "loss");

function tableRow(row: Row): string {
  const cells = COLUMNS.map((column) => `<td class="${column.hasTone ? tone(column.value(row)) : ""}">${escape(column.text(row))}</td>`).join("");
  const spark = row.sparkline.length > 1
    ? `<svg class="${tone(row.sparkline.at(-1)! - row.sparkline[0]!)}" width="96" height="24" viewBox="0 0 96 24"><path d="${sparkPath(row.sparkline).path}"/></svg>` : "";
  const notes = [...row.warnings.map(({ message }) => message), row.cached ? "reused" : "", row.generated ? "generated sample" : ""].filter(Boolean).join(" ");
  return `<tr><th>${escape(row.symbol)}${notes ? ` <span class="muted" title="${escape(notes)}">*</span>` : ""}</th>${cells}<td>${spark}</td></tr>`;
}

function bars(rows: readonly Row[]): string {
  const bins = histogram(rows.map(({ metrics }) => metrics["total_return"]).filter((value) => typeof value === "number"));
  const highest = Math.max(1, ...bins.map(({ count }) => count));
  const width = 640 / Math.max(1, bins.length);
  return `<svg width="640" height="120" role="img" aria-label="Histogram of returns">${bins.map(({ from, to, count }, index) =>
    `<rect class="${from >= 0 ? "gain" : "loss"}" x="${(index * width).toFixed(1)}" y="${(120 - (120 * count) / highest).toFixed(1)}" width="${(width - 1).toFixed(1)}" height="${((120 * count) / highest).toFixed(1)}"><title>${
      escape(`${format.signedPercent(from)} to ${to === Infinity ? "more" : format.signedPercent(to)}: ${count}`)}</title></rect>`).join("")}</svg>`;
}

/** The whole report. Pure: names and numbers of others are escaped, nothing is loaded from anywhere. */
export function reportHtml(state: RunState, strategy: string, rows: readonly Row[]): string {
  const { spec } = state.run;
  const live = statistics(rows);
  const figures: [string, string, string][] = [
    ["Median return", format.signedPercent(live.median), tone(live.median)],
    ["Mean return", format.signedPercent(live.mean), tone(live.mean)],
    ["Median buy and hold", format.signedPercent(live.medianBuyHold), tone(live.medianBuyHold)],
    ["Positive", `${live.positive} of ${live.count}`, ""],
  ];
  const isGenerated = rows.some(({ generated }) => generated);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(strategy)} · Candlestream</title><style>${STYLE}</style></head><body>
<h1>${escape(strategy)}</h1>
<p class="muted">${escape([`${rows.length} results`, spec.source, spec.interval, `${format.utcDay(spec.start)} → ${format.utcDay(spec.end)}`, parameterText(spec.parameters)].join(" · "))}${isGenerated ? " · generated sample, not prices of any market" : ""}</p>
<p class="muted">${escape(executionSettings(spec).map(([title, value]) => `${title.toLowerCase()} ${value}`).join(" · "))} · ${state.status} ${state.run.ended_at ? format.utcSecond(state.run.ended_at) : ""}</p>
<dl>${figures.map(([title, value, kind]) => `<div><dt>${title}</dt><dd class="${kind}">${escape(value)}</dd></div>`).join("")}</dl>
<h2>Returns</h2>${bars(rows)}
<h2>Results</h2><table><thead><tr><th>Symbol</th>${COLUMNS.map(({ title, unit, definition }) => `<th title="${escape(definition)}">${escape(title)}${unit ? `, ${unit}` : ""}</th>`).join("")}<th>Equity</th></tr></thead>
<tbody>${rows.map(tableRow).join("")}</tbody></table>
${state.failures.size > 0 ? `<h2>Failed</h2><ul>${[...state.failures].map(([symbol, reason]) => `<li>${escape(symbol)}: ${escape(reason)}</li>`).join("")}</ul>` : ""}
<p class="muted">Past results say little about future ones. Run ${escape(state.run.id)}, made with Candlestream.</p>
</body></html>
`;
}

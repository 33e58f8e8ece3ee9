/** The life of plots on a page: drawn when there is room, resized with it, in the theme's colours, and destroyed. */

import { html, type TemplateResult } from "lit";
import type uPlot from "uplot";

import { PageElement } from "../element";
import { THEME_CHANGED, colour } from "../theme";

export abstract class PlotElement extends PageElement {
  protected plots: uPlot[] = [];
  private readonly resized = new ResizeObserver(() => {
    if (this.clientWidth === 0) return;
    if (this.plots.length > 0) this.resize();
    else this.drawWhereThereIsRoom();
  });
  private readonly recolour = () => {
    this.destroy();
    this.drawWhereThereIsRoom();
  };

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener(THEME_CHANGED, this.recolour);
    this.resized.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener(THEME_CHANGED, this.recolour);
    this.resized.disconnect();
    this.destroy();
  }

  /** What is drawn, in words. */
  protected abstract get description(): string;

  /** Show what there is now, in `plots`; those of before may be there still. */
  protected abstract draw(host: HTMLElement): void;

  /** Fit the plots into the room there is now. */
  protected abstract resize(): void;

  protected override render(): TemplateResult {
    return html`<div class="plots" role="img" aria-label=${this.description}></div>`;
  }

  protected override updated(): void {
    this.drawWhereThereIsRoom();
  }

  protected destroy(): void {
    for (const plot of this.plots) plot.destroy();
    this.plots = [];
  }

  /** What all axes have in common. */
  protected axis(): uPlot.Axis {
    const line = { stroke: colour("line"), width: 1 };
    return { stroke: colour("muted"), font: `11px ${getComputedStyle(this).fontFamily}`, grid: line, ticks: { ...line, size: 4 } };
  }

  private drawWhereThereIsRoom(): void {
    const host = this.querySelector<HTMLElement>(".plots");
    if (host && this.clientWidth > 0) this.draw(host);
  }
}

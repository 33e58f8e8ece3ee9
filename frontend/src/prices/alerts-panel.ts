/** The user's alerts: what they wait for, when they fired, and a form for a new one. */

import { html, nothing, type TemplateResult } from "lit";

import { ApiError } from "../api/client";
import { PageElement } from "../element";
import * as format from "../format";
import { askToNotify, mayAsk } from "../run/announce";
import { shortName } from "../table/symbols";
import { deleteAlert, getAlerts, rearmAlert } from "./api";
import { withAlert } from "./state";
import type { Alert } from "./types";
import { conditionText, originText } from "./words";

class AlertsPanel extends PageElement {
  static override properties = { alerts: { state: true }, error: { state: true } };

  alerts: Alert[] = [];
  error = "";

  override connectedCallback(): void {
    super.connectedCallback();
    void this.load();
  }

  /** Read them again: what fired while the connection was away is known only there. */
  async load(): Promise<void> {
    await this.attempt(async () => { this.alerts = await getAlerts(); });
  }

  put(alert: Alert): void {
    this.alerts = withAlert(this.alerts, alert);
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    this.error = "";
    try {
      await work();
    } catch (error) {
      this.error = error instanceof ApiError ? error.message : String(error);
    }
  }

  protected override render(): TemplateResult {
    return html`<section class="alerts" aria-label="Alerts">
      <div class="panel-head"><h2>Alerts</h2><span class="grow"></span>
        ${this.alerts.length > 0 && mayAsk() ? html`<button class="button-link" @click=${async () => { await askToNotify(); this.requestUpdate(); }}>Notify me here</button>` : nothing}
        <button class="button-link" @click=${() => this.dispatchEvent(new CustomEvent("new-alert"))}>New alert</button></div>
      ${this.error ? html`<p class="field-error" role="alert">${this.error}</p>` : nothing}
      ${this.alerts.length === 0 ? html`<p class="muted">Be told when a price crosses a level or moves far enough.</p>` : html`
        <ul>${this.alerts.map((alert) => this.renderAlert(alert))}</ul>`}
    </section>`;
  }

  private renderAlert(alert: Alert): TemplateResult {
    const name = shortName(alert.symbol);
    const what = `${name} ${conditionText(alert)}`;
    return html`<li data-alert=${alert.id}>
      <div><b>${name}</b> ${conditionText(alert)}
        <span class="muted below">${alert.fired_at ? html`fired <time datetime=${alert.fired_at} title=${format.utcSecond(alert.fired_at)}>${format.clock(alert.fired_at)}</time>
          at ${format.price(alert.fired_price)}, ${originText(alert)}${alert.armed ? "; armed again" : ""}` : alert.armed ? "waits" : "off"}</span></div>
      ${alert.armed ? nothing : html`<button class="button-link" aria-label="Arm again: ${what}"
        @click=${() => this.attempt(async () => this.put(await rearmAlert(alert)))}>Arm again</button>`}
      <button class="icon-button" aria-label="Delete: ${what}" title="Delete"
        @click=${() => this.attempt(async () => { await deleteAlert(alert); this.alerts = this.alerts.filter(({ id }) => id !== alert.id); })}>
        <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true"><path d="m2 2 8 8M10 2l-8 8" stroke="currentColor" stroke-width="1.5" /></svg></button>
    </li>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "cs-alerts": AlertsPanel;
  }
}

customElements.define("cs-alerts", AlertsPanel);

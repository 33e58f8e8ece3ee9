/** The form of a new alert. */

import { html, nothing, type TemplateResult } from "lit";

import { ApiError, type FieldErrors } from "../api/client";
import { PageElement } from "../element";
import * as format from "../format";
import { askToNotify, mayAsk } from "../run/announce";
import { splitSymbol } from "../table/symbols";
import { addAlert } from "./api";
import type { Alert, AlertRequest, Direction, LivePrice } from "./types";

const DIRECTIONS: Record<AlertRequest["kind"], readonly [Direction, string][]> = {
  crosses: [["either", "either way"], ["up", "rising"], ["down", "falling"]],
  moves: [["either", "up or down"], ["up", "up"], ["down", "down"]],
};

const numberOf = (text: FormDataEntryValue | null): number | null => (String(text ?? "").trim() === "" ? null : Number(String(text).replaceAll(",", "")));

class AlertDialog extends PageElement {
  static override properties = { prices: { attribute: false }, symbol: { state: true }, kind: { state: true }, errors: { state: true }, problem: { state: true }, isSending: { state: true } };

  prices: readonly LivePrice[] = [];
  symbol = "";
  kind: AlertRequest["kind"] = "crosses";
  errors: FieldErrors = {};
  problem = "";
  isSending = false;

  async ask(symbol = ""): Promise<void> {
    this.symbol = symbol || this.prices[0]?.symbol || "";
    this.kind = "crosses";
    this.errors = {};
    this.problem = "";
    await this.updateComplete;
    this.querySelector("form")?.reset();
    this.querySelector("dialog")?.showModal();
  }

  private async send(submit: SubmitEvent): Promise<void> {
    submit.preventDefault();
    const given = new FormData(submit.target as HTMLFormElement);
    const isCrossing = this.kind === "crosses";
    this.isSending = true;
    try {
      const alert = await addAlert({
        symbol: this.symbol, kind: this.kind, direction: given.get("direction") as Direction, webhook: String(given.get("webhook") ?? "").trim(),
        price: isCrossing ? numberOf(given.get("price")) : null,
        percent: isCrossing ? null : numberOf(given.get("percent")),
        minutes: isCrossing ? null : numberOf(given.get("minutes")),
      });
      this.querySelector("dialog")?.close();
      this.dispatchEvent(new CustomEvent<Alert>("added", { detail: alert }));
      if (mayAsk()) void askToNotify();
    } catch (error) {
      const { fields, message } = error instanceof ApiError ? error : { fields: {}, message: String(error) };
      this.errors = fields;
      this.problem = Object.keys(fields).length > 0 ? "" : message;
      await this.updateComplete;
      this.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
    } finally {
      this.isSending = false;
    }
  }

  protected override render(): TemplateResult {
    const now = this.prices.find(({ symbol }) => symbol === this.symbol);
    return html`<dialog class="alert-dialog" aria-labelledby="alert-title"><form @submit=${this.send} novalidate>
      <h2 id="alert-title">New alert</h2>
      <div class="field"><label for="alert-symbol">Symbol</label>
        <select id="alert-symbol" @change=${(change: Event) => { this.symbol = (change.target as HTMLSelectElement).value; }}>
          ${this.prices.map(({ symbol }) => html`<option value=${symbol} ?selected=${symbol === this.symbol}>${splitSymbol(symbol).filter(Boolean).join(" / ")}</option>`)}</select></div>
      <div class="choices" role="group" aria-label="When">
        ${([["crosses", "crosses a price"], ["moves", "moves within minutes"]] as const).map(([kind, title]) => html`
          <label><input type="radio" name="kind" ?checked=${this.kind === kind} @change=${() => { this.kind = kind; this.errors = {}; }}> ${title}</label>`)}</div>
      ${this.kind === "crosses" ? this.number("price", "Price", now ? `${format.price(now.price)} now` : "", "decimal") : html`<div class="two">
        ${this.number("percent", "Move, %", "since its lowest or highest", "decimal")} ${this.number("minutes", "Within, min", "1 to 240", "numeric")}</div>`}
      <div class="field"><label for="alert-direction">Direction</label>
        <select id="alert-direction" name="direction">${DIRECTIONS[this.kind].map(([value, title]) => html`<option value=${value}>${title}</option>`)}</select>${this.error("direction")}</div>
      <div class="field"><label for="alert-webhook">Webhook <span class="muted">optional, gets a signed POST</span></label>
        <input class="input" id="alert-webhook" name="webhook" inputmode="url" autocomplete="off" placeholder="https://" aria-invalid=${this.errors["webhook"] ? "true" : nothing}
          aria-describedby=${this.errors["webhook"] ? "alert-webhook-error" : nothing}>${this.error("webhook")}</div>
      ${this.error("symbol")} ${this.problem ? html`<p class="field-error" role="alert">${this.problem}</p>` : nothing}
      <p class="hint">It fires once, then waits until you arm it again.</p>
      <div class="actions"><button class="button" type="button" @click=${() => this.querySelector("dialog")?.close()}>Cancel</button>
        <button class="button button-primary" ?disabled=${this.isSending}>Add alert</button></div>
    </form></dialog>`;
  }

  private number(name: string, title: string, hint: string, mode: "decimal" | "numeric"): TemplateResult {
    const isWrong = this.errors[name] !== undefined;
    return html`<div class="field"><label for="alert-${name}">${title}</label>
      <input class="input" id="alert-${name}" name=${name} inputmode=${mode} autocomplete="off" aria-invalid=${isWrong ? "true" : nothing} aria-describedby="alert-${name}-${isWrong ? "error" : "hint"}">
      ${isWrong ? this.error(name) : html`<p class="hint" id="alert-${name}-hint">${hint}</p>`}</div>`;
  }

  private error(name: string): TemplateResult | typeof nothing {
    const messages = this.errors[name];
    return messages ? html`<p class="field-error" id="alert-${name}-error" role="alert">${messages.join(" ")}</p>` : nothing;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "cs-alert-dialog": AlertDialog;
  }
}

customElements.define("cs-alert-dialog", AlertDialog);

/** Inputs of the form, each with its label, unit, bounds and the message that belongs to it. */

import { html, nothing, type TemplateResult } from "lit";

import { type Field, SLIDER_STEPS, boundsOf, hasSlider, sliderPosition, sliderValue } from "../form/fields";

type Change = (text: string) => void;

const textOf = (event: Event): string => (event.target as HTMLInputElement | HTMLSelectElement).value;

export function numberInput(field: Field, text: string, error: string | undefined, id: string, change: Change): TemplateResult {
  return html`<input class="input" id=${id} inputmode=${field.kind === "integer" ? "numeric" : field.kind === "number" ? "decimal" : "text"} autocomplete="off" .value=${text}
    aria-invalid=${error ? "true" : nothing} aria-describedby=${error ? `${id}-error` : nothing}
    @input=${(event: Event) => change(textOf(event))}>`;
}

export function fieldRow(field: Field, text: string, error: string | undefined, id: string, change: Change): TemplateResult {
  if (field.kind === "boolean") return checkbox(field, text, id, change);
  return html`<div class="field parameter">
    <label for=${id}>${field.title}${field.unit ? html`, <span class="muted">${field.unit}</span>` : nothing}</label>
    ${control(field, text, error, id, change)}
    <p class="hint">${field.description} ${field.kind === "choice" || error ? nothing : boundsOf(field)}</p>
    ${error ? html`<p class="field-error" id="${id}-error">${error}</p>` : nothing}
  </div>`;
}

function control(field: Field, text: string, error: string | undefined, id: string, change: Change): TemplateResult {
  if (field.kind === "choice") {
    return html`<select id=${id} @change=${(event: Event) => change(textOf(event))}>
      ${field.choices.map((choice) => html`<option value=${choice} ?selected=${choice === text}>${choice}</option>`)}
    </select>`;
  }
  const input = numberInput(field, text, error, id, change);
  if (!hasSlider(field)) return input;
  return html`<div class="slider">
    <input type="range" aria-label="${field.title}, slider" min="0" max=${SLIDER_STEPS} aria-valuetext=${text}
      .value=${String(sliderPosition(field, Number(text)))} @input=${(event: Event) => change(String(sliderValue(field, Number(textOf(event)))))}>
    ${input}
  </div>`;
}

function checkbox(field: Field, text: string, id: string, change: Change): TemplateResult {
  return html`<div class="field parameter">
    <label class="choices"><input type="checkbox" id=${id} .checked=${text === "true"}
      @change=${(event: Event) => change(String((event.target as HTMLInputElement).checked))}> ${field.title}</label>
    ${field.description ? html`<p class="hint">${field.description}</p>` : nothing}
  </div>`;
}

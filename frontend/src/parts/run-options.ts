/** The sections of the form below the market: account and costs, stops, and how a run goes and ends. */

import { html, nothing, type TemplateResult } from "lit";

import type { Draft, Errors } from "../form/draft";
import { boundsOf } from "../form/fields";
import {
  CHOICES, COST_FIELDS, type ChoiceKey, END_FIELDS, EMPTY_OPTIONS, EXECUTION_KEYS, NOTIFY_FIELDS, type Option, type OptionKey, SCAN_FIELDS, SIZE_FIELDS, STOP_FIELDS,
} from "../form/options";
import { numberInput } from "./fields";

export type ChangeDraft = (part: Partial<Draft>, ...fields: string[]) => void;

interface Form {
  draft: Draft;
  errors: Errors;
  change: ChangeDraft;
}

export function accountSection(form: Form): TemplateResult {
  const { draft, change } = form;
  const isChanged = EXECUTION_KEYS.some((key) => draft[key] !== EMPTY_OPTIONS[key]);
  const reset = () => change(Object.fromEntries(EXECUTION_KEYS.map((key) => [key, EMPTY_OPTIONS[key]])), ...EXECUTION_NAMES);
  return html`<fieldset class="section">
    <legend>Account and costs</legend>
    ${isChanged ? html`<div class="section-action"><button type="button" class="button-link" @click=${reset}>Reset account and stops</button></div>` : nothing}
    <div class="fields">
      <div class="columns">${fieldsOf(COST_FIELDS, form)}</div>
      ${choice("direction", "Positions", form)}
      ${sizing(form)}
      ${choice("fill", "Orders are filled", form)}
    </div>
  </fieldset>`;
}

export function stopsSection(form: Form): TemplateResult {
  return html`<fieldset class="section">
    <legend>Stops <span class="muted">left empty, there is none</span></legend>
    <div class="columns">${fieldsOf(STOP_FIELDS, form)}</div>
  </fieldset>`;
}

export function endingSection(form: Form): TemplateResult {
  const { draft, errors, change } = form;
  const fields = { ...END_FIELDS, ...(draft.task === "scan" ? { hit: SCAN_HIT } : {}), ...NOTIFY_FIELDS };
  const isUsed = draft.order !== EMPTY_OPTIONS.order || (Object.keys(fields) as (keyof typeof fields)[]).some((key) => draft[key] !== "" || errors[fields[key].name] !== undefined);
  const email = NOTIFY_FIELDS.email;
  return html`<details class="section ending" ?open=${isUsed}>
    <summary>Order, hits, an early end, and whom to tell</summary>
    <div class="columns">${choice("order", "Done first", form)}${fieldsOf({ ...END_FIELDS, hit: fields.hit }, form)}${oneField("webhook", NOTIFY_FIELDS.webhook, form)}
      <div class="field wide-field">
        <label class="choices"><input type="checkbox" id=${email.name} .checked=${draft.email === "true"} aria-invalid=${errors[email.name] ? "true" : nothing}
          aria-describedby=${errors[email.name] ? `${email.name}-error` : nothing}
          @change=${(event: Event) => change({ email: (event.target as HTMLInputElement).checked ? "true" : "" }, email.name)}> Send me an e-mail when it ends</label>
        ${errorOf(email, errors)}
      </div>
    </div>
  </details>`;
}

/** What a scan knows of a cryptocurrency is something else than what a backtest knows. */
const SCAN_HIT: Option = { ...END_FIELDS.hit, unit: "e.g. enter == 1 and strength > 2; by default any entry" };
const EXECUTION_NAMES = [...Object.values({ ...COST_FIELDS, ...SIZE_FIELDS, ...STOP_FIELDS }).map(({ name }) => name), "fill", "direction"];

function fieldsOf(fields: Partial<Record<OptionKey, Option>>, form: Form): TemplateResult[] {
  return (Object.entries(fields) as [OptionKey, Option][]).map(([key, field]) => oneField(key, field, form));
}

function oneField(key: OptionKey, field: Option, { draft, errors, change }: Form): TemplateResult {
  return html`<div class="field ${field.kind === "text" ? "wide-field" : ""}">
    <label for=${field.name} title=${boundsOf(field) || nothing}>${field.title}${field.unit ? html`, <span class="muted">${field.unit}</span>` : nothing}</label>
    ${numberInput(field, draft[key], errors[field.name], field.name, (text) => change({ [key]: text }, field.name))}
    ${errorOf(field, errors)}
  </div>`;
}

function errorOf(field: Option, errors: Errors): TemplateResult | typeof nothing {
  const error = errors[field.name];
  return error ? html`<p class="field-error" id="${field.name}-error">${error}</p>` : nothing;
}

/** What is asked of the market: its history, or this moment. */
export function taskChoice({ draft, change }: Form): TemplateResult {
  return html`<div class="task" role="radiogroup" aria-label="What to do">${CHOICES.task.map(([value, label]) => html`
    <label class="button"><input class="visually-hidden" type="radio" name="task" .checked=${draft.task === value} @change=${() => change({ task: value, hit: "", maxHits: "" }, "hit", "max_hits")}>${label}</label>`)}</div>`;
}

/** What a scan asks beside strategy and market. */
export function scanSection(form: Form): TemplateResult {
  return html`<fieldset class="section">
    <legend>Signals</legend>
    <div class="fields">
      <div class="columns">${fieldsOf(SCAN_FIELDS, form)}</div>
      ${choice("scanSides", "Entries", form)}
    </div>
  </fieldset>`;
}

function choice(key: ChoiceKey, title: string, { draft, errors, change }: Form): TemplateResult {
  return html`<div class="field wide-field" role="radiogroup" aria-labelledby="${key}-label">
    <span class="label" id="${key}-label">${title}</span>
    <div class="choices">${CHOICES[key].map(([value, label]) => html`
      <label><input type="radio" name=${key} .checked=${draft[key] === value} @change=${() => change({ [key]: value }, key)}> ${label}</label>`)}
    </div>
    ${errors[key] ? html`<p class="field-error" id="${key}-error">${errors[key]}</p>` : nothing}
  </div>`;
}

/** Two ways to size an entry; the amount of the one that is not chosen is kept, but can't be typed into. */
function sizing({ draft, errors, change }: Form): TemplateResult {
  const way = (value: "equity" | "cash", key: "equityPercent" | "fixedCash") => {
    const field = SIZE_FIELDS[key];
    const isChosen = draft.sizing === value;
    const error = isChosen ? errors[field.name] : undefined;
    return html`<div class="size-way">
      <label><input type="radio" name="sizing" .checked=${isChosen} @change=${() => change({ sizing: value }, ...Object.values(SIZE_FIELDS).map(({ name }) => name))}> ${field.title}</label>
      <input class="input" id=${field.name} inputmode="decimal" autocomplete="off" aria-label="${field.title}, ${field.unit}" .value=${draft[key]} ?disabled=${!isChosen}
        aria-invalid=${error ? "true" : nothing} aria-describedby=${error ? `${field.name}-error` : nothing}
        @input=${(event: Event) => change({ [key]: (event.target as HTMLInputElement).value }, field.name)}>
      <span class="muted">${field.unit}</span>
      ${error ? errorOf(field, errors) : nothing}
    </div>`;
  };
  return html`<div class="field" role="radiogroup" aria-labelledby="sizing-label">
    <span class="label" id="sizing-label">Each entry spends</span>
    <div class="sizes">${way("equity", "equityPercent")} ${way("cash", "fixedCash")}</div>
  </div>`;
}

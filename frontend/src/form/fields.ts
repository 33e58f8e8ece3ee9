/** The fields of a form, made from the JSON Schema of a strategy's parameters. Pure. */

import type { ParametersSchema, PropertySchema } from "../api/types";

export type FieldKind = "integer" | "number" | "boolean" | "choice" | "text";

export interface Field {
  name: string;
  title: string;
  description: string;
  unit: string;
  kind: FieldKind;
  /** What the field holds at first, as the text of its input. */
  initial: string;
  optional: boolean;
  min: number | null;
  max: number | null;
  minExcluded: boolean;
  maxExcluded: boolean;
  step: number | null;
  choices: string[];
}

export type Parsed = { value: unknown } | { error: string };

export function fieldsOf(schema: ParametersSchema): Field[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).map(([name, property]) => fieldOf(name, property, schema, required.has(name)));
}

/** Follow references and take what is not null out of "this or null". */
function resolve(property: PropertySchema, schema: ParametersSchema): { property: PropertySchema; nullable: boolean } {
  const name = property.$ref?.split("/").at(-1);
  if (name) {
    const { $ref: _, ...own } = property;
    return resolve({ ...schema.$defs?.[name], ...own }, schema);
  }
  const options = property.anyOf ?? property.allOf;
  if (!options) return { property, nullable: false };
  const { anyOf: _any, allOf: _all, ...own } = property;
  const wanted = options.find((option) => option.type !== "null") ?? {};
  const nullable = options.some((option) => option.type === "null");
  return { property: { ...resolve(wanted, schema).property, ...own }, nullable };
}

function fieldOf(name: string, given: PropertySchema, schema: ParametersSchema, required: boolean): Field {
  const { property, nullable } = resolve(given, schema);
  const choices = property.enum?.map(String) ?? [];
  return {
    name,
    title: property.title ?? name,
    description: property.description ?? "",
    unit: property.unit ?? "",
    kind: kindOf(property, choices),
    initial: property.default === undefined || property.default === null ? "" : String(property.default),
    optional: nullable || (!required && property.default === undefined),
    min: property.minimum ?? property.exclusiveMinimum ?? null,
    max: property.maximum ?? property.exclusiveMaximum ?? null,
    minExcluded: property.minimum === undefined && property.exclusiveMinimum !== undefined,
    maxExcluded: property.maximum === undefined && property.exclusiveMaximum !== undefined,
    step: property.multipleOf ?? null,
    choices,
  };
}

function kindOf(property: PropertySchema, choices: string[]): FieldKind {
  if (choices.length > 0) return "choice";
  if (property.type === "integer" || property.type === "number" || property.type === "boolean") return property.type;
  return "text";
}

/** The value of what was typed, or what is wrong with it. */
export function parse(field: Field, text: string): Parsed {
  const typed = text.trim();
  if (typed === "" && field.kind !== "boolean") {
    return field.optional ? { value: null } : { error: "A value is needed." };
  }
  if (field.kind === "boolean") return { value: typed === "true" };
  if (field.kind === "choice") return field.choices.includes(typed) ? { value: typed } : { error: "Choose one of the list." };
  if (field.kind === "text") return { value: typed };
  return parseNumber(field, Number(typed));
}

function parseNumber(field: Field, value: number): Parsed {
  if (!Number.isFinite(value)) return { error: "This is not a number." };
  if (field.kind === "integer" && !Number.isInteger(value)) return { error: "A whole number is needed." };
  const tooLow = field.min !== null && (field.minExcluded ? value <= field.min : value < field.min);
  const tooHigh = field.max !== null && (field.maxExcluded ? value >= field.max : value > field.max);
  return tooLow || tooHigh ? { error: boundsOf(field) } : { value };
}

/** "From 2 to 200." */
export function boundsOf(field: Field): string {
  const low = field.min === null ? "" : `${field.minExcluded ? "More than" : "From"} ${field.min}`;
  const high = field.max === null ? "" : `${field.maxExcluded ? "less than" : low && !field.minExcluded ? "to" : "at most"} ${field.max}`;
  const text = [low, high].filter(Boolean).join(field.minExcluded && high ? ", " : " ");
  return text ? `${text.charAt(0).toUpperCase()}${text.slice(1)}.` : "";
}

/** A slider needs both ends. */
export const hasSlider = (field: Field): boolean =>
  (field.kind === "integer" || field.kind === "number") && field.min !== null && field.max !== null;

export const SLIDER_STEPS = 1000;
/** From this ratio of its ends on, a slider works in ratios: half of 1 to 5,000 would otherwise be useless. */
const WIDE = 100;

const isWide = ({ min, max }: Field): boolean => min !== null && max !== null && min > 0 && max / min >= WIDE;

/** Where a value stands on the slider, 0 to `SLIDER_STEPS`. */
export function sliderPosition(field: Field, value: number): number {
  const [min, max] = [field.min ?? 0, field.max ?? 1];
  const inside = Math.min(max, Math.max(min, Number.isFinite(value) ? value : min));
  const share = isWide(field) ? Math.log(inside / min) / Math.log(max / min) : (inside - min) / (max - min || 1);
  return Math.round(share * SLIDER_STEPS);
}

/** The value at a place of the slider, rounded as far as the slider can tell values apart. */
export function sliderValue(field: Field, position: number): number {
  const [min, max] = [field.min ?? 0, field.max ?? 1];
  const share = position / SLIDER_STEPS;
  const exact = isWide(field) ? min * (max / min) ** share : min + (max - min) * share;
  const step = stepOf(field, exact);
  return Math.min(max, Math.max(min, Number((Math.round(exact / step) * step).toPrecision(12))));
}

function stepOf(field: Field, near: number): number {
  if (field.step !== null) return field.step;
  if (field.kind === "integer") return 1;
  const span = isWide(field) ? near : (field.max ?? 1) - (field.min ?? 0);
  return 10 ** Math.floor(Math.log10(span / 50));
}

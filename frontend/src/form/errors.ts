/** Where the messages of a server's 400 belong in the form. Pure. */

import type { FieldErrors } from "../api/client";
import type { Errors } from "./draft";

export interface Placed {
  /** By field of the form. */
  fields: Errors;
  /** What belongs to no field. */
  rest: string[];
}

/**
 * A message goes to the field it names. One about parameters together ("fast must be below slow") goes to the first
 * parameter that its text mentions.
 */
export function placed(errors: FieldErrors, known: readonly string[]): Placed {
  const fields: Errors = {};
  const rest: string[] = [];
  const parameters = known.filter((name) => name.startsWith("parameters."));
  for (const [name, messages] of Object.entries(errors)) {
    const text = messages.join(" ");
    const field =
      [name, `parameters.${name}`].find((one) => known.includes(one)) ??
      (name.startsWith("parameters") ? firstMentioned(parameters, text) : undefined);
    if (field) fields[field] = [fields[field], text].filter(Boolean).join(" ");
    else rest.push(text);
  }
  return { fields, rest };
}

function firstMentioned(parameters: readonly string[], text: string): string | undefined {
  const at = (field: string) => text.search(new RegExp(`\\b${field.slice("parameters.".length)}\\b`, "i"));
  return parameters.filter((field) => at(field) >= 0).sort((a, b) => at(a) - at(b))[0];
}

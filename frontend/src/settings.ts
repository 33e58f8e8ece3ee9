/** What this browser remembers of the user's choices. Private mode or full storage: nothing is remembered, all works. */

export function remembered<Value>(name: string, fallback: Value): Value {
  try {
    const text = localStorage.getItem(`candlestream.${name}`);
    return text === null ? fallback : (JSON.parse(text) as Value);
  } catch {
    return fallback;
  }
}

export function remember(name: string, value: unknown): void {
  try {
    localStorage.setItem(`candlestream.${name}`, JSON.stringify(value));
  } catch {
    // Not remembered: the choice still holds for this page.
  }
}

/** The same collection without one of its names. */
export function without<Value>(named: Record<string, Value>, name: string): Record<string, Value> {
  return Object.fromEntries(Object.entries(named).filter(([one]) => one !== name));
}

/** Light, dark, or what the system says. Kept in a cookie, so that the server's first byte has the right one. */

export type Theme = "" | "light" | "dark";

/** Dispatched on `window` when colours changed: what is drawn on a canvas must be drawn again. */
export const THEME_CHANGED = "theme-changed";

const YEAR_SECONDS = 31_536_000;
const systemIsDark = window.matchMedia("(prefers-color-scheme: dark)");

systemIsDark.addEventListener("change", () => window.dispatchEvent(new Event(THEME_CHANGED)));

export function isDark(): boolean {
  const theme = document.documentElement.dataset["theme"];
  return theme ? theme === "dark" : systemIsDark.matches;
}

export function toggleTheme(): void {
  const theme: Theme = isDark() ? "light" : "dark";
  document.documentElement.dataset["theme"] = theme;
  document.querySelector('meta[name="color-scheme"]')?.setAttribute("content", theme);
  document.cookie = `theme=${theme}; path=/; max-age=${YEAR_SECONDS}; samesite=lax`;
  window.dispatchEvent(new Event(THEME_CHANGED));
}

/** A colour token as the browser resolves it for the current theme, for canvases. */
export function colour(token: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(--${token})`;
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return resolved;
}

/** Addresses and pages. Links are ordinary links; this takes the clicks on them that stay inside the page. */

export type Route =
  | { page: "new" }
  | { page: "runs" }
  | { page: "scans" }
  | { page: "run"; runId: string; symbol: string | null }
  | { page: "compare" }
  | { page: "prices" }
  | { page: "data" }
  | { page: "unknown" };

const RUN = /^\/runs\/([0-9a-f-]{36})\/(?:([^/]+)\/)?$/;

export function routeOf(pathname: string): Route {
  if (pathname === "/") return { page: "new" };
  if (pathname === "/runs/") return { page: "runs" };
  if (pathname === "/scans/") return { page: "scans" };
  if (pathname === "/compare/") return { page: "compare" };
  if (pathname === "/prices/") return { page: "prices" };
  if (pathname === "/data/") return { page: "data" };
  const run = RUN.exec(pathname);
  if (!run) return { page: "unknown" };
  return { page: "run", runId: run[1]!, symbol: run[2] === undefined ? null : decodeURIComponent(run[2]) };
}

export const runPath = (runId: string): string => `/runs/${runId}/`;

export const resultPath = (runId: string, symbol: string): string => `/runs/${runId}/${encodeURIComponent(symbol)}/`;

/** Dispatched on `window` after the address changed without a load. */
export const NAVIGATED = "navigated";

export function navigate(address: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  window.dispatchEvent(new Event(NAVIGATED));
}

export function takeOverLinks(root: HTMLElement): void {
  root.addEventListener("click", (click) => {
    if (click.defaultPrevented || click.button !== 0 || click.metaKey || click.ctrlKey || click.shiftKey || click.altKey) return;
    const link = (click.target as Element).closest("a");
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (routeOf(link.pathname).page === "unknown") return;
    click.preventDefault();
    navigate(link.pathname + link.search);
  });
  window.addEventListener("popstate", () => window.dispatchEvent(new Event(NAVIGATED)));
}

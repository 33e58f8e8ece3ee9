/** The frame around every page: navigation, theme, keyboard. */

import { html, nothing, type TemplateResult } from "lit";

import { PageElement } from "./element";
import "./pages/compare-page";
import "./pages/data-page";
import "./pages/new-run";
import "./pages/prices-page";
import "./pages/run-page";
import "./pages/runs-page";
import "./pages/scans-page";
import { takeOverMenus } from "./menus";
import { NAVIGATED, navigate, routeOf, takeOverLinks, type Route } from "./router";
import { THEME_CHANGED, isDark, toggleTheme } from "./theme";

const NAVIGATION = [
  { href: "/", title: "New run", pages: ["new"] },
  { href: "/runs/", title: "Runs", pages: ["runs", "run", "compare", "scans"] },
  { href: "/prices/", title: "Prices", pages: ["prices"] },
  { href: "/data/", title: "Data", pages: ["data"] },
];

class App extends PageElement {
  static override properties = { user: {}, logout: {}, route: { state: true } };

  user = "";
  logout = "";
  route: Route = routeOf(location.pathname);

  override connectedCallback(): void {
    super.connectedCallback();
    takeOverLinks(this);
    takeOverMenus();
    window.addEventListener(NAVIGATED, () => {
      this.route = routeOf(location.pathname);
    });
    window.addEventListener(THEME_CHANGED, () => this.requestUpdate());
    document.addEventListener("keydown", (key) => this.onKey(key));
  }

  private onKey(key: KeyboardEvent): void {
    const target = key.target as HTMLElement;
    const isTyping = target.closest("input, textarea, select, dialog") !== null;
    if (isTyping || key.ctrlKey || key.metaKey || key.altKey) return;
    if (key.key === "n") navigate("/");
    else if (key.key === "?") this.querySelector<HTMLDialogElement>(".shortcuts")?.showModal();
    else return;
    key.preventDefault();
  }

  protected override render(): TemplateResult {
    return html`
      <a class="skip button" href="#main">Skip to content</a>
      <header class="app-bar">
        <a class="brand" href="/" aria-label="Candlestream, new run">
          <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
            <path d="M9 5v22M16 8v20M23 4v18" stroke="currentColor" stroke-width="2" opacity=".5" />
            <path class="loss" fill="currentColor" d="M6 12h6v10H6z" />
            <path class="gain" fill="currentColor" d="M13 13h6v9h-6zM20 7h6v10h-6z" />
          </svg>
          <span>Candlestream</span>
        </a>
        <nav aria-label="Pages">
          ${NAVIGATION.map(({ href, title, pages }) => html`
            <a href=${href} aria-current=${pages.includes(this.route.page) ? "page" : nothing}>${title}</a>`)}
          <a href="/api/docs/">API</a>
        </nav>
        <button class="button button-plain" @click=${toggleTheme} aria-label=${isDark() ? "Switch to light" : "Switch to dark"}>
          <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
            <circle cx="8" cy="8" r="6.25" fill="none" stroke="currentColor" stroke-width="1.5" />
            <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />
          </svg>
        </button>
        <div class="user">
          <span class="name">${this.user}</span>
          ${this.logout ? html`<form method="post" action=${this.logout}>
            <input type="hidden" name="csrfmiddlewaretoken" value=${csrfToken()}>
            <button class="button button-plain" type="submit">Log out</button>
          </form>` : nothing}
        </div>
      </header>
      <main id="main" tabindex="-1">${this.page()}</main>
      ${this.shortcuts()}
    `;
  }

  protected override updated(): void {
    if (this.route.page === "unknown") document.title = "No such page · Candlestream";
  }

  private page(): TemplateResult {
    const route = this.route;
    switch (route.page) {
      case "new": return html`<cs-new-run></cs-new-run>`;
      case "runs": return html`<cs-runs></cs-runs>`;
      case "scans": return html`<cs-scans></cs-scans>`;
      case "compare": return html`<cs-compare></cs-compare>`;
      case "prices": return html`<cs-prices></cs-prices>`;
      case "data": return html`<cs-data></cs-data>`;
      case "run": return html`<cs-run .runId=${route.runId} .symbol=${route.symbol}></cs-run>`;
      default: return html`<div><div class="empty">
        <h1>There is no such page</h1>
        <p>The address may be mistyped, or the page may have moved.</p>
        <a class="button" href="/runs/">See all runs</a>
      </div></div>`;
    }
  }

  private shortcuts(): TemplateResult {
    const keys = [
      ["n", "New run"], ["/", "Filter the table"], ["↑ ↓", "Move in the table"], ["Enter", "Open a result"],
      ["← →", "Previous and next result"], ["p", "Pause or resume the run or the prices"], ["s", "Stop the run"], ["Esc", "Close"], ["?", "This list"],
    ];
    return html`<dialog class="shortcuts" aria-labelledby="shortcuts-title">
      <h2 id="shortcuts-title">Keyboard</h2>
      <dl>${keys.map(([key, meaning]) => html`<dt>${key!.split(" ").map((one) => html`<kbd>${one}</kbd> `)}</dt><dd>${meaning}</dd>`)}</dl>
      <form method="dialog" class="actions"><button class="button">Close</button></form>
    </dialog>`;
  }
}

function csrfToken(): string {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
}

customElements.define("cs-app", App);

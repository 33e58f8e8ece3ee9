/** Menus that open under a button: one at a time; Escape, a click elsewhere and another page close them. */

import { NAVIGATED } from "./router";

const OPEN = "details.menu[open]";

/** Close every open menu but the one that `inside` belongs to. */
function closeMenus(inside: Node | null = null): void {
  for (const menu of document.querySelectorAll<HTMLDetailsElement>(OPEN)) if (!inside || !menu.contains(inside)) menu.open = false;
}

function onKey(key: KeyboardEvent): void {
  const menu = document.querySelector<HTMLDetailsElement>(OPEN);
  if (key.key !== "Escape" || !menu) return;
  menu.open = false;
  menu.querySelector<HTMLElement>("summary")?.focus();
  key.preventDefault();
  key.stopPropagation(); // Escape closes one thing at a time, the menu before what lies under it
}

/** What is chosen with a button is done; boxes to tick stay for the next one. */
function onClick(click: MouseEvent): void {
  if ((click.target as Element).closest(".menu-list button")) closeMenus();
}

export function takeOverMenus(): void {
  document.addEventListener("pointerdown", (press) => closeMenus(press.target as Node));
  document.addEventListener("focusin", (focus) => closeMenus(focus.target as Node));
  document.addEventListener("keydown", onKey, { capture: true });
  document.addEventListener("click", onClick);
  window.addEventListener(NAVIGATED, () => closeMenus());
}

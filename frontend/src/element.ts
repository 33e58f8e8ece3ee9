/** The base of our components: drawn into the page itself, so that one stylesheet and one focus order hold for all. */

import { LitElement } from "lit";

export class PageElement extends LitElement {
  protected override createRenderRoot(): HTMLElement {
    return this;
  }
}

/** Asks for a name under which something is saved. */

import { html, type TemplateResult } from "lit";

import { PageElement } from "../element";

class NameDialog extends PageElement {
  static override properties = { heading: { state: true } };

  heading = "";
  private answer: (name: string | null) => void = () => undefined;

  /** The name that was given; null when the user thought better of it. */
  async ask(heading: string): Promise<string | null> {
    this.heading = heading;
    await this.updateComplete;
    this.querySelector("dialog")?.showModal();
    return new Promise((resolve) => { this.answer = resolve; });
  }

  private onClose(close: Event): void {
    const dialog = close.target as HTMLDialogElement;
    const form = dialog.querySelector("form")!;
    const name = String(new FormData(form).get("name")).trim();
    this.answer(dialog.returnValue === "save" && name ? name : null);
    dialog.returnValue = "";
    form.reset();
  }

  protected override render(): TemplateResult {
    return html`<dialog aria-label=${this.heading} @close=${this.onClose}>
      <form method="dialog">
        <h2>${this.heading}</h2>
        <div class="field"><label>Name <input class="input" name="name" maxlength="40" autocomplete="off" required></label></div>
        <div class="actions"><button class="button" type="button" @click=${() => this.querySelector("dialog")?.close()}>Cancel</button><button class="button button-primary" value="save">Save</button></div>
      </form>
    </dialog>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "cs-name-dialog": NameDialog;
  }
}

customElements.define("cs-name-dialog", NameDialog);

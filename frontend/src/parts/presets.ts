/** Parameters of a strategy that the user saved under a name. */

import { html, nothing, type TemplateResult } from "lit";

import { PageElement } from "../element";
import { remember, remembered, without } from "../settings";
import "./name-dialog";

const PRESETS = "presets";

interface Preset {
  strategy: string;
  parameters: Record<string, string>;
}

class Presets extends PageElement {
  static override properties = { strategy: {}, parameters: { attribute: false }, isChanged: { attribute: false }, presets: { state: true } };

  strategy = "";
  parameters: Record<string, string> = {};
  /** Whether the parameters differ from the strategy's defaults. */
  isChanged = false;
  presets: Record<string, Preset> = remembered(PRESETS, {});

  private save(presets: Record<string, Preset>): void {
    this.presets = presets;
    remember(PRESETS, presets);
  }

  private async saveAs(): Promise<void> {
    const name = await this.querySelector("cs-name-dialog")!.ask("Save as a preset");
    if (name) this.save({ ...this.presets, [name]: { strategy: this.strategy, parameters: this.parameters } });
  }

  protected override render(): TemplateResult {
    const own = Object.entries(this.presets).filter(([, { strategy }]) => strategy === this.strategy);
    return html`
      ${this.isChanged ? html`<div class="section-action">
        <button type="button" class="button-link" @click=${() => this.dispatchEvent(new Event("defaults"))}>Reset to defaults</button>
        <button type="button" class="button-link" @click=${this.saveAs}>Save as a preset…</button>
      </div>` : nothing}
      ${own.length > 0 ? html`<div class="quick presets" role="group" aria-label="Presets">${own.map(([name, { parameters }]) => html`<span class="saved">
        <button type="button" class="button" aria-pressed=${Object.keys(this.parameters).every((key) => this.parameters[key] === parameters[key])}
          @click=${() => this.dispatchEvent(new CustomEvent("apply", { detail: parameters }))}>${name}</button>
        <button type="button" class="button button-plain" aria-label="Forget the preset ${name}" @click=${() => this.save(without(this.presets, name))}>×</button>
      </span>`)}</div>` : nothing}
      <cs-name-dialog></cs-name-dialog>`;
  }
}

customElements.define("cs-presets", Presets);

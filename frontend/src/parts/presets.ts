/** Parameters of a strategy, with costs, sizes and stops, that the user saved under a name. */

import { html, nothing, type TemplateResult } from "lit";

import { PageElement } from "../element";
import { remember, remembered, without } from "../settings";
import "./name-dialog";

const PRESETS = "presets";

export interface Preset {
  strategy: string;
  parameters: Record<string, string>;
  /** Costs, sizes and stops; older presets have none. */
  execution?: Record<string, string>;
}

class Presets extends PageElement {
  static override properties = { strategy: {}, parameters: { attribute: false }, execution: { attribute: false }, isChanged: { attribute: false }, presets: { state: true } };

  strategy = "";
  parameters: Record<string, string> = {};
  execution: Record<string, string> = {};
  /** Whether the parameters differ from the strategy's defaults. */
  isChanged = false;
  presets: Record<string, Preset> = remembered(PRESETS, {});

  private save(presets: Record<string, Preset>): void {
    this.presets = presets;
    remember(PRESETS, presets);
  }

  private async saveAs(): Promise<void> {
    const name = await this.querySelector("cs-name-dialog")!.ask("Save as a preset");
    if (name) this.save({ ...this.presets, [name]: { strategy: this.strategy, parameters: this.parameters, execution: this.execution } });
  }

  protected override render(): TemplateResult {
    const own = Object.entries(this.presets).filter(([, { strategy }]) => strategy === this.strategy);
    return html`
      <div class="section-action">
        ${this.isChanged ? html`<button type="button" class="button-link" @click=${() => this.dispatchEvent(new Event("defaults"))}>Reset to defaults</button>` : nothing}
        <button type="button" class="button-link" title="The parameters, with account, costs and stops" @click=${this.saveAs}>Save as a preset…</button>
      </div>
      ${own.length > 0 ? html`<div class="quick presets" role="group" aria-label="Presets">${own.map(([name, preset]) => html`<span class="saved">
        <button type="button" class="button" aria-pressed=${isSame(preset.parameters, this.parameters) && isSame(preset.execution ?? {}, this.execution)}
          @click=${() => this.dispatchEvent(new CustomEvent("apply", { detail: preset }))}>${name}</button>
        <button type="button" class="button button-plain" aria-label="Forget the preset ${name}" @click=${() => this.save(without(this.presets, name))}>×</button>
      </span>`)}</div>` : nothing}
      <cs-name-dialog></cs-name-dialog>`;
  }
}

/** Whether all that was saved is what the form holds. */
function isSame(saved: Record<string, string>, held: Record<string, string>): boolean {
  return Object.entries(saved).every(([key, text]) => held[key] === text);
}

customElements.define("cs-presets", Presets);

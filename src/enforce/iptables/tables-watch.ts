import type { Tables } from "./tables.ts";

/** Shows the filter table of one family again when it may have changed. */
export class TablesWatch {
  readonly #tables: Tables;
  #generation: number | null = null;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** The output of `iptables-save`; null when no rule has changed since the last call. Rejects with a StoplogError. */
  async look(): Promise<string | null> {
    // Before the save: the next look sees a change in between.
    const generation = this.#tables.generation();
    if (generation !== null && generation === this.#generation) return null;
    const text = await this.#tables.save();
    this.#generation = generation;
    return text;
  }
}

import type { ConfigPlace } from "../config/config-place.ts";
import { factOf } from "../core/errors.ts";
import type { Log } from "../observe/log.ts";
import type { KeptReading } from "./kept-reading.ts";
import { parseReading, type ReadConfig, readApart, thaw } from "./read-apart.ts";

/** The configuration as the start and each reload read it. The start takes the kept reading if that is still right. */
export class Readings {
  readonly #place: ConfigPlace;
  readonly #kept: KeptReading | null;
  /** A reading that is not kept yet. */
  #new: Buffer | null = null;
  #keeping: Promise<void> = Promise.resolve();

  constructor(place: ConfigPlace, kept: KeptReading | null) {
    this.#place = place;
    this.#kept = kept;
  }

  async first(): Promise<ReadConfig> {
    const kept = this.#kept?.read() ?? null;
    return kept === null ? this.again() : thaw(kept);
  }

  async again(): Promise<ReadConfig> {
    const bytes = await readApart(this.#place);
    const reading = parseReading(bytes);
    this.#new = reading.inputs === null ? null : bytes;
    return thaw(reading);
  }

  /** Keeps the newest reading for the next start. Not before the daemon watches: that start would wait for the disk. */
  keep(log: Log): Promise<void> {
    this.#keeping = this.#keeping.then(() => this.#keep(log));
    return this.#keeping;
  }

  async #keep(log: Log): Promise<void> {
    const kept = this.#kept;
    const bytes = this.#new;
    this.#new = null;
    if (kept === null) return;
    if (kept.fault !== null) log.debug(`The configuration was read again: ${kept.fault}`);
    kept.fault = null;
    if (bytes === null) return;
    try {
      await kept.keep(bytes);
    } catch (error) {
      log.debug(`Cannot keep the configuration as it was read: ${factOf(error)}`);
    }
  }
}

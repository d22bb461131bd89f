import { StoplogError } from "../core/errors.ts";
import type { ReloadAnswer } from "../api/wire.ts";

/** One reload at a time, and none after the end: nothing would close what it opened then. */
export class SingleReload {
  #running: Promise<unknown> | null = null;
  #next: Promise<ReloadAnswer> | null = null;
  #ended = false;

  /** Calls during a reload share one further reload after it: the first may have read the files before they were changed. */
  run(reload: () => Promise<ReloadAnswer>): Promise<ReloadAnswer> {
    if (this.#ended)
      return Promise.resolve({ reloaded: false, sentences: ["Cannot reload: the daemon is stopping"] });
    if (this.#running !== null) return (this.#next ??= this.#after(this.#running, reload));
    return this.#alone(reload);
  }

  /** Runs a change that must not meet a reload, nor another change. */
  async apart<Result>(change: () => Promise<Result>): Promise<Result> {
    while (this.#running !== null) await this.#running.catch(() => undefined);
    if (this.#ended) throw new StoplogError("Cannot change anything: the daemon is stopping");
    return this.#alone(change);
  }

  /** Resolves when no reload is under way. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#running?.catch(() => undefined);
  }

  #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const running = work().finally(() => (this.#running = null));
    this.#running = running;
    return running;
  }

  async #after(running: Promise<unknown>, reload: () => Promise<ReloadAnswer>): Promise<ReloadAnswer> {
    await running.catch(() => undefined);
    this.#next = null;
    return this.run(reload);
  }
}

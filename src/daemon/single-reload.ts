import type { ReloadAnswer } from "../api/wire.ts";

/** One reload at a time, and none after the end: nothing would close what it opened then. */
export class SingleReload {
  #running: Promise<ReloadAnswer> | null = null;
  #next: Promise<ReloadAnswer> | null = null;
  #ended = false;

  /** Calls during a reload share one further reload after it: the first may have read the files before they were changed. */
  run(reload: () => Promise<ReloadAnswer>): Promise<ReloadAnswer> {
    if (this.#ended)
      return Promise.resolve({ reloaded: false, sentences: ["Cannot reload: the daemon is stopping"] });
    if (this.#running !== null) return (this.#next ??= this.#after(this.#running, reload));
    this.#running = reload().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Resolves when no reload is under way. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#running?.catch(() => undefined);
  }

  async #after(running: Promise<ReloadAnswer>, reload: () => Promise<ReloadAnswer>): Promise<ReloadAnswer> {
    await running.catch(() => undefined);
    this.#next = null;
    return this.run(reload);
  }
}

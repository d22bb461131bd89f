import type { ReloadAnswer } from "../api/wire.ts";

/** One reload at a time, and none after the end: nothing would close what it opened then. */
export class SingleReload {
  #running: Promise<ReloadAnswer> | null = null;
  #ended = false;

  /** Calls during a reload get that reload's answer. */
  run(reload: () => Promise<ReloadAnswer>): Promise<ReloadAnswer> {
    if (this.#ended)
      return Promise.resolve({ reloaded: false, sentences: ["Cannot reload: the daemon is stopping"] });
    this.#running ??= reload().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Resolves when no reload is under way. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#running?.catch(() => undefined);
  }
}

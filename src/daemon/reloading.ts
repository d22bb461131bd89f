import type { ReloadAnswer } from "../api/wire.ts";

/** One reload at a time, and none after the end: what it would open then, nobody would close. */
export class Reloading {
  #running: Promise<ReloadAnswer> | null = null;
  #ended = false;

  /** Who asks while one is running gets the same answer. */
  run(reload: () => Promise<ReloadAnswer>): Promise<ReloadAnswer> {
    if (this.#ended)
      return Promise.resolve({ reloaded: false, sentences: ["Cannot reload: the daemon stops"] });
    this.#running ??= reload().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Answers when the one that is running is over. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#running?.catch(() => undefined);
  }
}

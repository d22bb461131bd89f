import type { Duration } from "../../core/time.ts";

/**
 * A task that is requested often and runs rarely: at once when it rests, then at most once in `pause`. However many requests come while
 * it runs or pauses, one more run serves them all.
 *
 *      requests   ! !!  !!!!!!    !
 *      runs       ▇─────▇─────▇─────▇        ─ pause
 */
export class Paced {
  readonly #task: () => Promise<void>;
  readonly #failed: (thrown: unknown) => void;
  #pause: Duration;
  #isDue = false;
  #isRunning = false;
  #pausing: { readonly end: () => void } | null = null;
  /** What the last run threw. */
  #fault: { readonly thrown: unknown } | null = null;
  readonly #waiting: (() => void)[] = [];

  /** `failed` takes what a run throws that no call of `settled` waits for. The task runs again when it is requested again. */
  constructor(task: () => Promise<void>, pause: Duration, failed: (thrown: unknown) => void) {
    this.#task = task;
    this.#pause = pause;
    this.#failed = failed;
  }

  set pause(pause: Duration) {
    this.#pause = pause;
  }

  request(): void {
    this.#isDue = true;
    if (!this.#isRunning && this.#pausing === null) void this.#run();
  }

  /** Resolves when no request waits for its run. Rejects with what the last run threw. */
  async settled(): Promise<void> {
    if (this.#isDue || this.#isRunning) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#fault !== null) throw this.#fault.thrown;
  }

  /** As `settled`, without pauses. */
  finish(): Promise<void> {
    this.#pause = 0;
    this.#pausing?.end();
    return this.settled();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    this.#isDue = false;
    try {
      await this.#task();
      this.#fault = null;
    } catch (thrown) {
      this.#fault = { thrown };
      if (this.#waiting.length === 0) this.#failed(thrown);
    }
    this.#isRunning = false;
    if (!this.#isDue) for (const resolve of this.#waiting.splice(0)) resolve();
    this.#startPause();
  }

  #startPause(): void {
    if (this.#pause === 0) {
      if (this.#isDue) void this.#run();
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      this.#pausing = null;
      if (this.#isDue) void this.#run();
    };
    const timer = setTimeout(end, this.#pause);
    this.#pausing = { end };
  }
}

import { cannot, StoplogError } from "../core/errors.ts";
import type { Instant } from "../core/time.ts";
import type { Trouble } from "../core/trouble.ts";
import type { CloseOptions, Feature, Settings, StatusFragment } from "./feature.ts";

/** Runs features as one: started in their order, closed in reverse, and rolled back together when one refuses a configuration. */
export class Features {
  readonly #all: readonly Feature[];
  readonly #warn: (sentence: string) => void;
  /** The first so many have been started. */
  #open = 0;

  /** `all` is in the order of the flow. */
  constructor(all: readonly Feature[], warn: (sentence: string) => void) {
    this.#all = all;
    this.#warn = warn;
  }

  /** Starts every feature. When one rejects, closes it and those before it, then rejects with its error. */
  async start(settings: Settings): Promise<void> {
    try {
      for (const feature of this.#all) {
        this.#open++;
        await feature.follow?.(settings);
      }
    } catch (error) {
      await this.close({ flush: false, started: false });
      throw error;
    }
  }

  /** Moves every feature to `next`. When one rejects, moves it and those before it back to `before`, then rejects with its error. */
  async reload(next: Settings, before: Settings): Promise<void> {
    const moved: Feature[] = [];
    try {
      for (const feature of this.#all) {
        moved.push(feature);
        await feature.follow?.(next);
      }
    } catch (error) {
      for (const feature of moved)
        await this.#attempt(`restore ${feature.name}`, () => feature.follow?.(before));
      throw error;
    }
  }

  tick(now: Instant): void {
    for (const feature of this.#all) feature.tick?.(now);
  }

  status(now: Instant): StatusFragment {
    return Object.assign({}, ...this.#all.map((feature) => feature.status?.(now)));
  }

  troubles(now: Instant): readonly Trouble[] {
    return this.#all.flatMap((feature) => [...(feature.troubles?.(now) ?? [])]);
  }

  warnings(now: Instant): readonly string[] {
    return this.#all.flatMap((feature) => [...(feature.warnings?.(now) ?? [])]);
  }

  /** Closes what was started, last in first out. A feature that cannot be closed does not keep the others open. */
  async close(options: CloseOptions): Promise<void> {
    const open = this.#all.slice(0, this.#open);
    this.#open = 0;
    for (const feature of open.toReversed())
      await this.#attempt(`close ${feature.name}`, () => feature.close?.(options));
  }

  async #attempt(what: string, action: () => Promise<void> | void): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#warn(error instanceof StoplogError ? error.message : cannot(what, error).message);
    }
  }
}

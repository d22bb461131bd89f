import { BackOff, type Pauses } from "../core/back-off.ts";
import { cannot, StoplogError } from "../core/errors.ts";
import { isDue } from "../core/due.ts";
import { type Duration, type Instant, SECOND } from "../core/time.ts";
import type { Trouble } from "../core/trouble.ts";
import type { CloseOptions, Feature, Settings, StatusFragment } from "./feature.ts";

/**
 * Runs features as one: started in their order, closed in reverse, and rolled back together when one refuses a configuration. A feature that
 * cannot start is in trouble and is started again, after pauses that grow; the others work.
 */
export class Features {
  readonly #all: readonly Feature[];
  readonly #warn: (sentence: string) => void;
  /** The first so many have been started. */
  #open = 0;
  /** Features that could not start yet. */
  readonly #failed = new Map<Feature, FailedStart>();
  /** What the features follow now. */
  #settings: Settings | null = null;
  /** The starts that run. A reload waits for them, and none begins during a reload. */
  #starting: Promise<void> = Promise.resolve();
  #isBusy = false;

  /** `all` is in the order of the flow. */
  constructor(all: readonly Feature[], warn: (sentence: string) => void) {
    this.#all = all;
    this.#warn = warn;
  }

  /** Starts every feature. When one without which nothing can be protected rejects, closes it and those before it, then rejects with its error. */
  async start(settings: Settings): Promise<void> {
    this.#settings = settings;
    for (const feature of this.#all) await feature.prepare?.(settings);
    try {
      for (const feature of this.#all) {
        this.#open++;
        await this.#begin(feature, settings);
      }
    } catch (error) {
      await this.close({ flush: false, started: false });
      throw error;
    }
  }

  /** Moves every feature to `next`. When one rejects, moves it and those before it back to `before`, then rejects with its error. */
  async reload(next: Settings, before: Settings): Promise<void> {
    await this.#exclusively(async () => {
      const moved: Feature[] = [];
      try {
        for (const feature of this.#all) {
          moved.push(feature);
          await this.#move(feature, next);
        }
        this.#settings = next;
      } catch (error) {
        for (const feature of moved)
          await this.#attempt(`restore ${feature.name}`, () => feature.follow?.(before, "rollback"));
        throw error;
      }
    });
  }

  tick(now: Instant): void {
    for (const feature of this.#all) feature.tick?.(now);
    const due = [...this.#failed].filter(([, { next, pause }]) => next === null || isDue(now, next, pause));
    if (due.length === 0 || this.#isBusy) return;
    void this.#exclusively(async () => {
      for (const [feature] of due) await this.#startAgain(feature, now);
    });
  }

  status(now: Instant): StatusFragment {
    return Object.assign({}, ...this.#all.map((feature) => feature.status?.(now)));
  }

  troubles(now: Instant): readonly Trouble[] {
    return this.#all.flatMap((feature) => {
      const failed = this.#failed.get(feature);
      const start = failed === undefined ? [] : [{ of: feature.name, sentence: failed.sentence }];
      return [...start, ...(feature.troubles?.(now) ?? [])];
    });
  }

  warnings(now: Instant): readonly string[] {
    return this.#all.flatMap((feature) => [...(feature.warnings?.(now) ?? [])]);
  }

  /** Closes what was started, last in first out. A feature that cannot be closed does not keep the others open. */
  async close(options: CloseOptions): Promise<void> {
    await this.#starting;
    const open = this.#all.slice(0, this.#open);
    this.#open = 0;
    this.#failed.clear();
    for (const feature of open.toReversed())
      await this.#attempt(`close ${feature.name}`, () => feature.close?.(options));
  }

  async #begin(feature: Feature, settings: Settings): Promise<void> {
    try {
      await feature.follow?.(settings, "start");
      this.#failed.delete(feature);
    } catch (error) {
      if (feature.isEssential === true) throw error;
      const { backOff = new BackOff(PAUSES) } = this.#failed.get(feature) ?? {};
      this.#failed.set(feature, {
        sentence: sentenceOf(`start ${feature.name}`, error),
        backOff,
        next: null,
        pause: 0,
      });
    }
  }

  async #startAgain(feature: Feature, now: Instant): Promise<void> {
    const { backOff, next } = this.#failed.get(feature) ?? {};
    if (backOff === undefined || this.#settings === null) return;
    // The first tick after the failure only begins the pause: the start has no clock.
    if (next !== null) await this.#begin(feature, this.#settings);
    const failed = this.#failed.get(feature);
    if (failed === undefined) return;
    failed.pause = backOff.next();
    failed.next = now + failed.pause;
  }

  /** A feature that was in trouble before may stay so: that is not the new configuration's fault. */
  async #move(feature: Feature, next: Settings): Promise<void> {
    if (this.#failed.has(feature)) await this.#begin(feature, next);
    else await feature.follow?.(next, "reload");
  }

  async #exclusively(work: () => Promise<void>): Promise<void> {
    while (this.#isBusy) await this.#starting;
    this.#isBusy = true;
    const done = work();
    this.#starting = done.then(nothing, nothing);
    try {
      await done;
    } finally {
      this.#isBusy = false;
    }
  }

  async #attempt(what: string, action: () => Promise<void> | void): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#warn(sentenceOf(what, error));
    }
  }
}

interface FailedStart {
  readonly sentence: string;
  readonly backOff: BackOff;
  /** When it is started again; null until the first tick. */
  next: Instant | null;
  /** How long it waits. */
  pause: Duration;
}

const PAUSES: Pauses = { first: SECOND, longest: 30 * SECOND };

function sentenceOf(what: string, error: unknown): string {
  return error instanceof StoplogError ? error.message : cannot(what, error).message;
}

function nothing(): void {}

import { sleep } from "./sleep.ts";
import type { Duration } from "./time.ts";

/** Pauses between attempts: `first`, then twice as long each time, up to `longest`. */
export interface Pauses {
  readonly first: Duration;
  readonly longest: Duration;
}

/** The pause after so many failures in a row, from 1. */
export function pauseAfter(failures: number, { first, longest }: Pauses): Duration {
  return Math.min(first * 2 ** Math.min(failures - 1, MOST_DOUBLINGS), longest);
}

/** Counts failures in a row. It has no clock: the caller makes the pauses. */
export class BackOff {
  readonly #pauses: Pauses;
  #failures = 0;

  constructor(pauses: Pauses) {
    this.#pauses = pauses;
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure; returns the pause before the next attempt. */
  next(): Duration {
    return pauseAfter(++this.#failures, this.#pauses);
  }

  reset(): void {
    this.#failures = 0;
  }
}

export interface Attempts {
  readonly pauses: Pauses;
  /** No attempt begins after this. */
  readonly signal: AbortSignal;
  readonly failed: (thrown: unknown) => void;
}

/** Makes attempts until one succeeds. Resolves with whether one did; with false when the signal aborts first. */
export async function tryUntilDone(
  attempt: () => Promise<void>,
  { pauses, signal, failed }: Attempts,
): Promise<boolean> {
  const backOff = new BackOff(pauses);
  while (!signal.aborted) {
    try {
      await attempt();
      return true;
    } catch (thrown) {
      failed(thrown);
      await sleep(backOff.next(), signal);
    }
  }
  return false;
}

/** Keeps the power within a double's range. */
const MOST_DOUBLINGS = 40;

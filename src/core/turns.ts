import { setImmediate as nextTurn } from "node:timers/promises";

/** Work that can be interrupted: a generator that yields every millisecond or so, and returns its result. */
export type Steps<T> = Generator<void, T>;

/** Does the work a few milliseconds at a time, with a turn of the event loop in between. An abort rejects with the reason of the signal. */
export async function inTurns<T>(work: Steps<T>, signal?: AbortSignal): Promise<T> {
  for (;;) {
    signal?.throwIfAborted();
    const until = performance.now() + SHARE;
    do {
      const step = work.next();
      if (step.done === true) return step.value;
    } while (performance.now() < until);
    await nextTurn();
  }
}

/** Does the work without a pause, if it is known to be little. */
export function atOnce<T>(work: Steps<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** Milliseconds in one turn. */
const SHARE = 4;

import { setImmediate as nextTurn } from "node:timers/promises";

/** Work that can be put down: it yields wherever it may be interrupted, every millisecond or so, and returns its result. */
export type Steps<T> = Generator<void, T>;

/** Does the work some milliseconds at a time, with a turn of the event loop between. An abort ends it with the signal's reason. */
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

/** Does the work at once, for what is known to be little. */
export function atOnce<T>(work: Steps<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** Milliseconds of one turn. */
const SHARE = 4;

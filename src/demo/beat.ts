/** The start, in ms since the epoch, and the length. */
export interface Span {
  readonly start: number;
  readonly seconds: number;
}

export interface Beat {
  /** Called every few ms, with the ms since the start and the current second, from 1. */
  readonly step: (elapsed: number, second: number) => void;
  /** Called for each second after its end, again until it returns true: its attempts have ended. */
  readonly over: (second: number) => boolean;
}

/** Runs through the span; resolves when all its seconds are complete, or `signal` aborts. */
export function beat({ start, seconds }: Span, { step, over }: Beat, signal: AbortSignal): Promise<void> {
  let settled = 0;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      // Unlike Date.now() it does not jump when the clock is set.
      const elapsed = performance.timeOrigin + performance.now() - start;
      const past = Math.min(seconds, Math.floor(elapsed / 1000));
      while (settled < past && over(settled + 1)) settled++;
      if (settled === seconds || signal.aborted) {
        clearInterval(timer);
        resolve();
      } else if (elapsed >= 0 && past < seconds) step(elapsed, past + 1);
    }, STEP);
  });
}

const STEP = 5;

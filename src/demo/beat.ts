/** When to begin, in milliseconds since the epoch, and how long to go on. */
export interface Span {
  readonly start: number;
  readonly seconds: number;
}

export interface Beat {
  /** Called every few milliseconds, with the milliseconds since the start and the second that is under way, from 1 on. */
  readonly step: (elapsed: number, second: number) => void;
  /** Called for each second in turn when it is over, and again as long as the answer is false: it is not settled. */
  readonly over: (second: number) => boolean;
}

/** Works through the span; resolves when all its seconds are settled, or as soon as `signal` says so. */
export function beat({ start, seconds }: Span, { step, over }: Beat, signal: AbortSignal): Promise<void> {
  let settled = 0;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      // Unlike Date.now() it does not jump when somebody sets the clock.
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

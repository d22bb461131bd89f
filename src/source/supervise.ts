import { systemClock } from "../core/clock.ts";
import { BackOff } from "../core/back-off.ts";
import { factOf } from "../core/errors.ts";
import { sleep as sleepUntil } from "../core/sleep.ts";
import { type Duration, type Instant, MINUTE, SECOND } from "../core/time.ts";
import type { SourceOf } from "./source.ts";

export interface SuperviseOptions {
  /** Called on each change of state: failed, failed for another reason, recovered, ended. */
  readonly log: (sentence: string) => void;
  /** Resolves after `duration`, or when the signal aborts. */
  readonly sleep?: (duration: Duration, signal: AbortSignal) => Promise<void>;
  readonly now?: () => Instant;
}

/**
 * Keeps a source running until the signal aborts or its input ends. After a failure it runs the source again: first after
 * 0.25 s, then after twice the last pause, up to 30 s. A minute without a failure resets the pause. Never rejects.
 */
export async function supervise<Batch>(
  source: SourceOf<Batch>,
  sink: (batch: Batch) => void,
  signal: AbortSignal,
  { log, sleep = sleepUntil, now = systemClock.now }: SuperviseOptions,
): Promise<void> {
  const backOff = new BackOff({ first: 250, longest: 30 * SECOND });
  let failure = "";
  // A run may fail right after its start, so a source has recovered only after its first batch or after STEADY.
  const recovered = (): void => {
    if (failure !== "") log(`Source ${source.name} works again`);
    failure = "";
  };
  const watched = (batch: Batch): void => {
    if (failure !== "") recovered();
    sink(batch);
  };
  while (!signal.aborted) {
    const started = now();
    const fact = await runOnce(source, watched, signal);
    if (signal.aborted) return;
    if (fact === null) return log(`Source ${source.name} ended: no more input`);
    if (now() - started >= STEADY) {
      recovered();
      backOff.reset();
    }
    if (fact !== failure) log(`Source ${source.name} failed, retrying: ${fact}`);
    failure = fact;
    const pause = backOff.next();
    source.stats.state = `retries in ${pause / SECOND} s: ${fact}`;
    await sleep(pause, signal);
  }
}

const STEADY: Duration = MINUTE;

/** Null when the input ended, else why the source failed. */
async function runOnce<Batch>(
  source: SourceOf<Batch>,
  sink: (batch: Batch) => void,
  signal: AbortSignal,
): Promise<string | null> {
  try {
    await source.run(sink, signal);
    return null;
  } catch (thrown) {
    return factOf(thrown);
  }
}

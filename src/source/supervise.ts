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

/** A source that is kept running. */
export interface Supervision {
  /** Resolves when the signal has aborted or the input has ended. Never rejects. */
  readonly done: Promise<void>;
  /** Why the source does not work, as the sentence in the log; null when it works. */
  readonly failure: string | null;
  /** Once a second: a source that has run for ten seconds works again, even without input. */
  tick(now: Instant): void;
}

/**
 * Keeps a source running until the signal aborts or its input ends. After a failure it runs the source again: first after
 * 0.25 s, then after twice the last pause, up to 30 s. A minute without a failure resets the pause.
 */
export function supervise<Batch>(
  source: SourceOf<Batch>,
  sink: (batch: Batch) => void,
  signal: AbortSignal,
  { log, sleep = sleepUntil, now = systemClock.now }: SuperviseOptions,
): Supervision {
  const backOff = new BackOff({ first: 250, longest: 30 * SECOND });
  let failure: string | null = null;
  /** When the present run began; null during a pause and after the end. */
  let started: Instant | null = null;
  const fail = (sentence: string): void => {
    if (sentence !== failure) log(sentence);
    failure = sentence;
  };
  // A run may fail right after its start, so a source has recovered only after its first batch or after SETTLED.
  const recovered = (): void => {
    if (failure !== null) log(`Source ${source.name} works again`);
    failure = null;
  };
  const watched = (batch: Batch): void => {
    if (failure !== null) recovered();
    sink(batch);
  };
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const start = now();
      started = start;
      const fact = await runOnce(source, watched, signal);
      started = null;
      if (signal.aborted) return;
      if (fact === null) return fail(`Source ${source.name} ended: no more input`);
      if (now() - start >= SETTLED) recovered();
      if (now() - start >= STEADY) backOff.reset();
      fail(`Source ${source.name} failed, retrying: ${fact}`);
      const pause = backOff.next();
      source.stats.state = `retries in ${pause / SECOND} s: ${fact}`;
      await sleep(pause, signal);
    }
  };
  return {
    done: run(),
    get failure() {
      return failure;
    },
    tick: (at) => {
      if (started !== null && at - started >= SETTLED) recovered();
    },
  };
}

const SETTLED: Duration = 10 * SECOND;
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

import { BackOff } from "../core/back-off.ts";
import { factOf } from "../core/errors.ts";
import { sleep as sleepUntil } from "../core/sleep.ts";
import { type Duration, type Instant, MINUTE, SECOND } from "../core/time.ts";
import type { SourceOf } from "./source.ts";

export interface SuperviseOptions {
  /** One sentence for each change: it broke, it broke in another way, it works again, it has ended. */
  readonly log: (sentence: string) => void;
  /** Resolves after that time, or early when the signal aborts. */
  readonly sleep?: (duration: Duration, signal: AbortSignal) => Promise<void>;
  readonly now?: () => Instant;
}

/**
 * Keeps a source running until the signal aborts or its input ends: after a failure it is run again, after 0.25 s at
 * first and twice as long each time, up to 30 s; a minute without failure starts over. Never rejects.
 */
export async function supervise<Batch>(
  source: SourceOf<Batch>,
  sink: (batch: Batch) => void,
  signal: AbortSignal,
  { log, sleep = sleepUntil, now = Date.now }: SuperviseOptions,
): Promise<void> {
  const backOff = new BackOff({ first: 250, longest: 30 * SECOND });
  let failure = "";
  // It works again when something comes, or when it has lasted; a run that starts may still break at once.
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
    if (fact === null) return log(`Source ${source.name} has come to its end`);
    if (now() - started >= STEADY) {
      recovered();
      backOff.reset();
    }
    if (fact !== failure) log(`Source ${source.name} stopped and is tried again: ${fact}`);
    failure = fact;
    const pause = backOff.next();
    source.stats.state = `waits ${pause / SECOND} s to try again: ${fact}`;
    await sleep(pause, signal);
  }
}

const STEADY: Duration = MINUTE;

/** Null when its input ended, else why it broke. */
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

import { type Duration, type Instant, SECOND } from "../core/time.ts";
import { bytesWords, counted, countWords, durationWords } from "../core/wording.ts";

/** A jail's counters. */
export interface JailCounts {
  readonly name: string;
  readonly failures: number;
  readonly alreadyBanned: number;
  readonly bans: number;
}

/** How far behind a source is: in ms, or null when unknown, and in bytes left for later. */
export interface SourceCounts {
  readonly lag: Duration | null;
  readonly later: number;
}

/**
 * Sums up a flood: while a jail meets more than FLOOD failures a second, one sentence a second for ten seconds, then one every ten
 * seconds, and one at the end. Never a line per failure.
 *
 *      quiet ── more than FLOOD in a second ──► flood ── five seconds below it ──► 'is over' ──► quiet
 */
export class FloodLog {
  #last: Snapshot | null = null;
  #flood: Flood | null = null;

  /** Called once a second with the counters; returns a sentence to log, or null. */
  tick(now: Instant, jails: readonly JailCounts[], sources: readonly SourceCounts[]): string | null {
    const before = this.#last;
    const here: Snapshot = { at: now, jails: new Map(jails.map((jail) => [jail.name, jail])) };
    this.#last = here;
    // The clock was set back: start over.
    if (before === null || now <= before.at) {
      this.#flood = null;
      return null;
    }
    const seconds = (now - before.at) / SECOND;
    if (sinceThen(here, before).some((jail) => jail.failures > FLOOD * seconds)) {
      this.#flood ??= { start: before, said: before, last: here };
      this.#flood.last = here;
      return this.#goesOn(this.#flood, here, sources);
    }
    return this.#flood === null ? null : this.#ebbs(this.#flood, here);
  }

  #goesOn(flood: Flood, here: Snapshot, sources: readonly SourceCounts[]): string | null {
    const every = here.at - flood.start.at <= BRISK ? SECOND : CALM;
    const { said } = flood;
    if (said !== flood.start && here.at - said.at < every - SLACK) return null;
    flood.said = here;
    return `Flood: ${sums(here, said)} in ${durationWords(wholeSeconds(here.at - said.at))}${behind(sources)}`;
  }

  #ebbs(flood: Flood, here: Snapshot): string | null {
    if (here.at - flood.last.at < OVER_AFTER) return null;
    this.#flood = null;
    const length = durationWords(wholeSeconds(flood.last.at - flood.start.at));
    return `The flood is over after ${length}: ${sums(flood.last, flood.start)}`;
  }
}

interface Snapshot {
  readonly at: Instant;
  readonly jails: ReadonlyMap<string, JailCounts>;
}

interface Flood {
  readonly start: Snapshot;
  /** Up to where the last sentence counted; the start before the first. */
  said: Snapshot;
  /** The last second above FLOOD. */
  last: Snapshot;
}

/** Failures a second: more than a person can read. */
const FLOOD = 100;
/** Ticks are not exact. */
const SLACK: Duration = 0.5 * SECOND;
const OVER_AFTER: Duration = 5 * SECOND - SLACK;
/** Up to here a sentence a second, then one every CALM. */
const BRISK: Duration = 10 * SECOND + SLACK;
const CALM: Duration = 10 * SECOND;
const MOST_JAILS = 3;

/** What each jail met between two snapshots, the busiest first; idle jails are left out. */
function sinceThen(here: Snapshot, then: Snapshot): JailCounts[] {
  return [...here.jails.values()]
    .map((jail) => {
      const before = then.jails.get(jail.name);
      return {
        name: jail.name,
        failures: jail.failures - (before?.failures ?? 0),
        alreadyBanned: jail.alreadyBanned - (before?.alreadyBanned ?? 0),
        bans: jail.bans - (before?.bans ?? 0),
      };
    })
    .filter((jail) => jail.failures > 0)
    .toSorted((a, b) => b.failures - a.failures);
}

function sums(here: Snapshot, then: Snapshot): string {
  const busy = sinceThen(here, then);
  const shown = busy
    .slice(0, MOST_JAILS)
    .map(
      ({ name, failures, alreadyBanned, bans }) =>
        `${name} met ${countWords(failures)} failures (${countWords(alreadyBanned)} of banned addresses) and banned ${countWords(bans)}`,
    );
  const rest = busy.length - shown.length;
  return [...shown, ...(rest > 0 ? [`${counted(rest, "more jail")}`] : [])].join(", ");
}

function wholeSeconds(duration: Duration): Duration {
  return Math.max(1, Math.round(duration / SECOND)) * SECOND;
}

function behind(sources: readonly SourceCounts[]): string {
  const lag = Math.max(0, ...sources.map((source) => source.lag ?? 0));
  const later = sources.reduce((sum, source) => sum + source.later, 0);
  const facts = [
    ...(lag >= SECOND ? [`${durationWords(lag)} behind`] : []),
    ...(later > 0 ? [`${bytesWords(later)} left for later`] : []),
  ];
  return facts.length === 0 ? "" : `; ${facts.join(", ")}`;
}

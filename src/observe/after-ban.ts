import { type Duration, type Instant, MINUTE } from "../core/time.ts";
import { countWords } from "../core/wording.ts";

/** How many failures of banned addresses a jail has met well after their ban. */
export interface AfterBanCounts {
  readonly name: string;
  readonly afterBan: number;
}

/**
 * Detects bans that do not hold. A few lines after a ban prove nothing (an open connection, a queued mail); many within some minutes
 * do.
 */
export class AfterBanWatch {
  readonly #jails = new Map<string, Window>();
  #saidAt: Instant = Number.NEGATIVE_INFINITY;

  /** Called every few seconds; returns a sentence to log, at most one a minute, or null. */
  tick(now: Instant, jails: readonly AfterBanCounts[]): string | null {
    for (const name of this.#jails.keys()) {
      if (!jails.some((jail) => jail.name === name)) this.#jails.delete(name);
    }
    for (const { name, afterBan } of jails) {
      const window = this.#jails.get(name);
      if (window === undefined || now < window.start || afterBan < window.counted) {
        this.#jails.set(name, {
          start: now,
          from: afterBan,
          counted: afterBan,
          before: 0,
          reported: afterBan,
        });
        continue;
      }
      window.counted = afterBan;
      if (now - window.start < WINDOW) continue;
      window.before = afterBan - window.from;
      window.from = afterBan;
      window.start = now;
    }
    if (now >= this.#saidAt && now - this.#saidAt < MINUTE) return null;
    const news = [...this.#jails].filter(
      ([, window]) => recent(window) >= MANY && window.counted > window.reported,
    );
    if (news.length === 0) return null;
    this.#saidAt = now;
    for (const [, window] of news) window.reported = window.counted;
    return news.map(([name, window]) => sentenceOf(name, window)).join("; ");
  }

  /** For the status: one sentence a jail. */
  warnings(): string[] {
    return [...this.#jails]
      .filter(([, window]) => recent(window) >= MANY)
      .map(([name, window]) => sentenceOf(name, window));
  }
}

interface Window {
  start: Instant;
  /** The jail's counter when the window began. */
  from: number;
  counted: number;
  /** The count of the window before. */
  before: number;
  /** The jail's counter when it was last logged. */
  reported: number;
}

const WINDOW: Duration = 5 * MINUTE;
/** In this window and the one before. */
const MANY = 20;

function recent(window: Window): number {
  return window.counted - window.from + window.before;
}

function sentenceOf(name: string, window: Window): string {
  return `${name}: ${countWords(recent(window))} lines from banned addresses in the last minutes, more than 5 s after their ban: does the ban hold? (another port, a proxy, a container)`;
}

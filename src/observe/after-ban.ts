import { type Duration, type Instant, MINUTE } from "../core/time.ts";
import { countWords } from "../core/wording.ts";

/** How many failures of banned addresses a jail has met since the start that happened well after their ban. */
export interface AfterBanCounts {
  readonly name: string;
  readonly afterBan: number;
}

/**
 * Notices bans that do not hold. A few such lines prove nothing (a connection that was open, a mail that was queued); many
 * within some minutes do.
 */
export class AfterBanWatch {
  readonly #jails = new Map<string, Window>();
  #saidAt: Instant = Number.NEGATIVE_INFINITY;

  /** To be called every few seconds; answers the sentence to log, at most one a minute, or null. */
  tick(now: Instant, jails: readonly AfterBanCounts[]): string | null {
    for (const name of this.#jails.keys()) {
      if (!jails.some((jail) => jail.name === name)) this.#jails.delete(name);
    }
    for (const { name, afterBan } of jails) {
      const window = this.#jails.get(name);
      if (window === undefined || now < window.start || afterBan < window.counted) {
        this.#jails.set(name, { start: now, from: afterBan, counted: afterBan, before: 0, told: afterBan });
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
      ([, window]) => recent(window) >= MANY && window.counted > window.told,
    );
    if (news.length === 0) return null;
    this.#saidAt = now;
    for (const [, window] of news) window.told = window.counted;
    return news.map(([name, window]) => sentenceOf(name, window)).join("; ");
  }

  /** What is to be seen in the status: one sentence a jail. */
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
  /** What came in the window before it. */
  before: number;
  /** The counter as it was last told in the log. */
  told: number;
}

const WINDOW: Duration = 5 * MINUTE;
/** In this window and the last. */
const MANY = 20;

function recent(window: Window): number {
  return window.counted - window.from + window.before;
}

function sentenceOf(name: string, window: Window): string {
  return `${name}: ${countWords(recent(window))} lines from banned addresses came more than 5 s after their ban in the last minutes: does it hold? (another port, a proxy, a container)`;
}

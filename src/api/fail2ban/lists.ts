import { setImmediate as nextTurn } from "node:timers/promises";
import type { Ban } from "../../core/ban.ts";
import { LIMITS } from "../../core/limits.ts";
import { formatPrefix } from "../../core/prefix.ts";
import { FOREVER, SECOND } from "../../core/time.ts";
import type { Fail2banHost } from "./host.ts";
import { localTime } from "./local-time.ts";

/** Lists of banned addresses, within a bound. There may be a million bans: the event loop gets its turns meanwhile. */
export class Lists {
  readonly #stats: { unlisted: number };
  readonly #most: number;

  /** Counts what is left out in `unlisted`. */
  constructor(stats: { unlisted: number }, most: number = LIMITS.fail2banListed.value) {
    this.#stats = stats;
    this.#most = most;
  }

  /** Addresses that a jail has banned, in that order. */
  async banned(host: Fail2banHost, jail: string): Promise<readonly string[]> {
    const bans = (await this.#bansOf(host, jail)).toSorted((a, b) => a.since - b.since);
    return distinct(bans.map(({ prefix }) => formatPrefix(prefix)));
  }

  /** The same in the order of their ends; `withTime`: with the beginning, the length and the end of each ban, by local time. */
  async byEnd(host: Fail2banHost, jail: string, withTime: boolean): Promise<readonly string[]> {
    const bans = (await this.#bansOf(host, jail)).toSorted(compareEnds);
    return distinct(bans.map((ban) => (withTime ? timedText(ban) : formatPrefix(ban.prefix))));
  }

  async #bansOf(host: Fail2banHost, jail: string): Promise<readonly Ban[]> {
    const bans: Ban[] = [];
    for (const some of host.bansOf(jail)) {
      const room = this.#most - bans.length;
      bans.push(...some.slice(0, room));
      this.#stats.unlisted += Math.max(0, some.length - room);
      await nextTurn();
    }
    // The newest come first: bans of one moment are to stay in the order in which they were made.
    return bans.toReversed();
  }
}

/** Two permanent bans have no difference that is a number. */
function compareEnds(a: Ban, b: Ban): number {
  return a.until === b.until ? 0 : a.until - b.until;
}

/** A step bans the same address at another target. */
function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}

function timedText({ prefix, since, until }: Ban): string {
  const seconds = until === FOREVER ? -1 : Math.round((until - since) / SECOND);
  return `${formatPrefix(prefix)} \t${localTime(since)} + ${seconds} = ${localTime(until)}`;
}

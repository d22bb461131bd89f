import { setImmediate as nextTurn } from "node:timers/promises";
import type { Book } from "../book/book.ts";
import type { Config, JailConfig } from "../config/config.ts";
import type { Ban, UnbannedBy } from "../core/ban.ts";
import type { Clock } from "../core/clock.ts";
import { PrefixSet } from "../core/prefix-map.ts";
import { formatPrefix, type Prefix } from "../core/prefix.ts";
import { counted } from "../core/wording.ts";
import type { Log } from "../observe/log.ts";
import type { Exempt } from "./exempt.ts";
import type { Feature, Settings } from "./feature.ts";

export interface SettledBansDeps {
  readonly book: Book;
  readonly exempt: Exempt;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Keeps the bans in the book in step with what the configuration and this machine's addresses say today. A ban at a target that is not in the
 * configuration moves to another target; a ban of an address that must not be banned ends. Each is said with its number.
 *
 *      start, reload ─► move (before the kernel is written) … ─► end exempt ones (after everything else took the configuration)
 */
export class SettledBans implements Feature {
  readonly name = "bans and the configuration";
  readonly #deps: SettledBansDeps;
  /** For `move`: known before the targets take it. */
  #next: Places | null = null;
  /** For `endExempt`: every feature has taken it. */
  #config: Places | null = null;
  /** What `endExempt` looked for last. It is the same at nearly every reload. */
  #looked = "";
  #isLooking = false;
  #news: string[] = [];

  constructor(deps: SettledBansDeps) {
    this.#deps = deps;
  }

  /** Only learns the configuration: the targets come later and call `move`. */
  follow({ config }: Settings): void {
    this.#next = config;
  }

  /** Every feature has taken the configuration: one that is refused ends no ban. */
  async taken(config: Places): Promise<void> {
    this.#config = config;
    await this.endExempt();
  }

  /** After a change of this machine's addresses. */
  tick(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    void this.endExempt().finally(() => (this.#isLooking = false));
  }

  /** Sentences about the bans of the last reload; each is given once. */
  takeNews(): readonly string[] {
    const news = this.#news;
    this.#news = [];
    return news;
  }

  /** Moves bans whose target is not in the configuration: to the target of their jail, else of their origin, else to the first one. */
  async move(): Promise<void> {
    const { book, clock } = this.#deps;
    const config = this.#next;
    if (config === null) return;
    const known = new Set(config.targets.map(({ name }) => name));
    if ([...book.targets()].every((target) => known.has(target))) return;
    const placeOf = placesIn(config);
    const moved = new Map<string, number>();
    let seen = 0;
    for (const ban of book.bans()) {
      if (++seen % AT_ONCE === 0) await nextTurn();
      if (known.has(ban.target)) continue;
      const target = placeOf(ban);
      book.unban(ban.prefix, ban.until > clock.now() ? "moved" : "expiry", ban.target);
      if (ban.until <= clock.now()) continue;
      book.ban({ ...ban, target });
      count(moved, `target ${ban.target}, which is not in the configuration: moved to ${target}`);
    }
    for (const [what, bans] of moved) this.#say(`${counted(bans, "ban")} of the ${what}`);
  }

  /** Ends bans of addresses that must not be banned now. Looks only when these addresses changed. */
  async endExempt(): Promise<void> {
    const { book, exempt, clock } = this.#deps;
    const config = this.#config;
    const looked = config === null ? this.#looked : textOf(config, exempt);
    if (config === null || looked === this.#looked) return;
    this.#looked = looked;
    const reasonOf = reasonsIn(config, exempt);
    const ended = new Map<string, string[]>();
    let seen = 0;
    for (const ban of book.bans()) {
      if (++seen % AT_ONCE === 0) await nextTurn();
      const reason = ban.until > clock.now() ? reasonOf(ban) : null;
      if (reason === null) continue;
      book.unban(ban.prefix, EXEMPT, ban.target);
      const addresses = ended.get(reason) ?? [];
      addresses.push(formatPrefix(ban.prefix));
      ended.set(reason, addresses);
    }
    for (const [reason, addresses] of ended) this.#say(sentenceOf(reason, addresses));
  }

  #say(sentence: string): void {
    this.#deps.log.warn(sentence);
    if (this.#news.length < MOST_NEWS) this.#news.push(sentence);
  }
}

/** Bans looked at in one turn of the event loop: some 2 ms. */
const AT_ONCE = 1000;
const MOST_NEWS = 20;
const EXEMPT: UnbannedBy = "exempt";
/** Addresses that a sentence names. */
const NAMED = 3;

type Places = Pick<Config, "targets" | "jails" | "origins" | "ignoreip" | "ignoreFrom" | "ignoreSelf">;

function placesIn({ targets, jails, origins }: Places): (ban: Ban) => string {
  const byJail = new Map(jails.map((jail) => [jail.name, lastTargetOf(jail)]));
  const byOrigin = new Map(origins.map(({ name, target }) => [name, target]));
  const first = targets[0]?.name ?? "";
  return ({ jail, origin }) => byJail.get(jail) ?? byOrigin.get(origin) ?? first;
}

/** As a ban that is made in the name of the jail. */
function lastTargetOf({ steps, maxretry }: JailConfig): string | undefined {
  return steps.findLast((step) => step.maxretry === maxretry && step.times <= 1)?.target;
}

/** A jail may say of itself whether it bans this machine's addresses. */
function reasonsIn(
  { jails, ignoreip, ignoreFrom, ignoreSelf }: Places,
  { own, elsewhere }: Exempt,
): (ban: Ban) => string | null {
  const all = [new PrefixSet(ignoreip), ...elsewhere.sets(ignoreFrom)];
  const ofJails = new Map(
    jails.map((jail) => {
      const lists = [...all, new PrefixSet(jail.ignoreip), ...elsewhere.sets(jail.ignoreFrom)];
      return [jail.name, { jail, lists }];
    }),
  );
  return ({ prefix, jail: name }) => {
    const known = ofJails.get(name);
    if ((known?.jail.ignoreSelf ?? ignoreSelf) && own.meets(prefix)) return "this machine or its gateway";
    return (known?.lists ?? all).some((list) => list.meets(prefix)) ? "ignoreip" : null;
  };
}

/** 'Ended 2 bans of addresses of ignoreip: 192.0.2.1, 192.0.2.0/24'. */
function sentenceOf(reason: string, addresses: readonly string[]): string {
  const more = addresses.length > NAMED ? ` and ${addresses.length - NAMED} more` : "";
  return `Ended ${counted(addresses.length, "ban")} that met an address of ${reason}: ${addresses.slice(0, NAMED).join(", ")}${more}`;
}

/** All that decides which addresses are exempt. */
function textOf({ ignoreip, ignoreSelf, jails }: Places, { own, elsewhere }: Exempt): string {
  const list = (prefixes: Iterable<Prefix>): string => Array.from(prefixes, formatPrefix).join(" ");
  const ofJails = jails.map((jail) => `${jail.name} ${jail.ignoreSelf} ${list(jail.ignoreip)}`);
  return [list(ignoreip), String(ignoreSelf), list(own.values()), ...elsewhere.texts, ...ofJails].join("\n");
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

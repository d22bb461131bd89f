import type { Book } from "../book/book.ts";
import type { Address } from "../core/address.ts";
import type { Ban } from "../core/ban.ts";
import { hostPrefix, isHost } from "../core/prefix.ts";
import type { LineMatch } from "../core/line-match.ts";
import type { Instant } from "../core/time.ts";
import type { Evidence } from "../jail/evidence.ts";
import type { Offence, StandingBan } from "../jail/jail.ts";
import type { RunningJail, SeenBanned } from "./pipeline.ts";
import type { Refusals } from "./refusals.ts";

interface JudgeParts {
  readonly book: Book;
  readonly evidence: Evidence;
  readonly refused?: Refusals | undefined;
  readonly seenBanned?: SeenBanned | undefined;
  readonly forgiven?: ((address: Address) => void) | undefined;
}

/** Gives failures to the jails of their filter, and enters the bans that they decide on into the book. */
export class Judge {
  readonly #book: Book;
  readonly #evidence: Evidence;
  readonly #refused: Refusals | undefined;
  readonly #seenBanned: SeenBanned;
  readonly #forgiven: (address: Address) => void;

  constructor({
    book,
    evidence,
    refused,
    seenBanned = () => undefined,
    forgiven = () => undefined,
  }: JudgeParts) {
    this.#book = book;
    this.#evidence = evidence;
    this.#refused = refused;
    this.#seenBanned = seenBanned;
    this.#forgiven = forgiven;
  }

  /** `isBacklog`: the line was in the log before it was opened. */
  judge(
    jails: readonly RunningJail[],
    failure: LineMatch,
    address: Address,
    { now, isBacklog = false }: { readonly now: Instant; readonly isBacklog?: boolean },
  ): void {
    for (const running of jails) {
      if (failure.kind === "good") this.#forgive(running, address, now);
      else this.#accuse(running, failure, { address, at: failure.at, count: failure.count, isBacklog }, now);
    }
  }

  #accuse(running: RunningJail, failure: LineMatch, offence: Offence, now: Instant): void {
    const { address } = offence;
    const { jail } = running;
    const standing = this.#standing(running, address, now);
    if (standing !== null) this.#seenBanned(address, running.lastTargets);
    const decision = jail.decide(offence, standing, now);
    if (decision.kind === "ignored") return;
    this.#evidence.remember(jail.networkOf(address), failure.line);
    if (decision.kind === "counted") return;
    this.#evidence.keep(jail.prefixOf(address), jail.options.maxretry);
    if (!this.#isMade(decision.ban, failure.at, now)) this.#book.ban(decision.ban);
  }

  /** True when the jail made this ban before, from this line or a later one: after a crash, lines are read again. */
  #isMade({ prefix, target, jail, since, until }: Ban, at: Instant | null, now: Instant): boolean {
    if (at === null) return false;
    const standing = this.#book.at(prefix, target, now);
    return (
      standing !== null &&
      standing.jail === jail &&
      at <= standing.since &&
      until - since <= standing.until - standing.since
    );
  }

  /** A ban that needs no further decision by this jail, or null. */
  #standing({ lastTargets }: RunningJail, address: Address, now: Instant): StandingBan | null {
    for (const target of lastTargets) {
      const ban = this.#book.standing(address, now, target);
      if (ban === null) continue;
      return this.#refused?.has(ban.prefix, target) === true ? { since: ban.since, isRefused: true } : ban;
    }
    return null;
  }

  #forgive({ config, jail }: RunningJail, address: Address, now: Instant): void {
    const network = jail.prefixOf(address);
    // When the network has an address that must not be banned, the jail banned the single address instead.
    const prefixes = isHost(network) ? [network] : [network, hostPrefix(address)];
    // A line in a log must not undo an order of the operator.
    const bans =
      config.onGood === "unban"
        ? prefixes.flatMap((prefix) => this.#book.of(prefix).filter(({ origin }) => origin !== "operator"))
        : [];
    const { trustFor, forgive } = config;
    const forgiveness = { trustFor, hasBan: bans.length > 0, isAlways: forgive === "always" };
    const isForgiven = jail.forgive(address, now, forgiveness);
    // Of what other programs entered, the jail has counted nothing.
    if (config.onGood === "unban" && (isForgiven || forgiveness.isAlways)) this.#forgiven(address);
    if (!isForgiven) return;
    for (const ban of bans) this.#book.unban(ban.prefix, "good", ban.target);
  }
}

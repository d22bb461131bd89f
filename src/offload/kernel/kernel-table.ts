import { isV4 } from "../../core/address.ts";
import { StoplogError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Prefix } from "../../core/prefix.ts";
import type { AddressRanges, Ranges } from "../../core/ranges.ts";
import type { Instant } from "../../core/time.ts";
import { factOfAnswer } from "../../kernel/netlink/errors.ts";
import { commitElements } from "../../enforce/nftables/commit.ts";
import type { Dialect } from "../../enforce/nftables/elements.ts";
import {
  NFT_MSG_GETSETELEM,
  NFT_SET_TIMEOUT,
  NFTA_SET_ELEM_LIST_SET,
  NFTA_SET_ELEM_LIST_TABLE,
} from "../../enforce/nftables/constants.ts";
import { type Hits, readCounters } from "../../enforce/nftables/counters.ts";
import { watchLoss } from "../../enforce/nftables/loss.ts";
import { TableWriter } from "../../enforce/nftables/messages.ts";
import { probeDialect } from "../../enforce/nftables/probe.ts";
import { type Element, elementsIn, findTable, type FoundSet } from "../../enforce/nftables/read.ts";
import { mustHold, openSession, type Session } from "../../enforce/nftables/session.ts";
import { tableRefusal, takeTable } from "../../enforce/nftables/take-table.ts";
import { type BanSet, checkTableName, checkTargetName } from "../../enforce/ruleset/names.ts";
import { clockFrom, type ElementChange } from "../../enforce/ruleset/standing-sets.ts";
import { serially } from "../../enforce/serially.ts";
import type { KernelJail } from "./kernel-jail.ts";
import {
  baseChains,
  COUNTERS,
  type CounterName,
  counterOf,
  countSetsOf,
  FAMILIES,
  helpersOf,
  type IgnoredSet,
  ignoredSetsOf,
  kernelChains,
  setsOfAddresses,
  waitingSet,
} from "./ruleset.ts";
import { KernelTableWriter } from "./table-writer.ts";

export const KERNEL_TABLE = "stoplog_kernel";

export interface KernelTableOptions {
  /** The table's name, in family inet. */
  readonly table?: string;
  /** Whether the table shall be ours alone where the kernel (6.9 and later) can do that. */
  readonly owner?: boolean;
  /** Bans of one jail and family that wait to be taken up. */
  readonly size?: number;
}

/** What shall stand in the kernel. */
export interface KernelPlan {
  readonly jails: readonly KernelJail[];
  /** Who is left alone by all jails. Sorted. */
  readonly ignored: AddressRanges;
  /** Bans that all jails together may make in a second. */
  readonly cap: number;
}

/** What one jail has counted since it was first there. */
export type KernelCounts = Readonly<Record<CounterName, number>>;

/**
 * Jails that the kernel counts for, in a table of their own. Invariant: the rules of `#plan` stand in the kernel, or the table is
 * lost and `open` makes all of it again.
 */
export class KernelTable {
  readonly #table: string;
  readonly #owner: boolean;
  readonly #size: number;
  readonly #serially = serially();
  #session: Session | null = null;
  #dialect: Dialect = "replace";
  #plan: KernelPlan | null = null;
  #notices: { close(): void } | null = null;
  #onLost: (fact: string) => void = () => {};
  #lost = false;

  constructor({
    table = KERNEL_TABLE,
    owner = true,
    size = LIMITS.kernelBans.value,
  }: KernelTableOptions = {}) {
    checkTableName(table);
    this.#table = table;
    this.#owner = owner;
    this.#size = size;
  }

  /** Takes away what an earlier run left, if it did and nobody else owns it. */
  static discard(table = KERNEL_TABLE): Promise<void> {
    return new KernelTable({ table }).#discard();
  }

  /**
   * Makes the table have these jails and no others, in one transaction. Bans that wait in it stay; counts begin anew, unless
   * nothing changes but who is left alone. `onLost` is told once when somebody took some of it away; then call `open` again.
   * Rejects with a StoplogError when the kernel does not let us.
   */
  open(plan: KernelPlan, onLost: (fact: string) => void): Promise<void> {
    return this.#serially(async () => {
      for (const { name } of plan.jails) checkTargetName(name);
      this.#onLost = onLost;
      if (!this.#lost && this.#plan !== null && samePlan(plan, this.#plan)) return this.#ignore(plan);
      const first = this.#session === null;
      const session = (this.#session ??= openSession());
      try {
        await this.#establish(session, plan);
        if (first) this.#dialect = probeDialect(session, this.#table);
      } catch (thrown) {
        if (first) this.#letGo();
        throw thrown;
      }
      this.#plan = plan;
      this.#lost = false;
    });
  }

  /** Some of the bans that wait to be taken up, `most` of each jail and family at the most, with their ends. */
  waiting(now: Instant, most: number): Promise<readonly Waiting[]> {
    const clock = clockFrom(now);
    return this.#serially(async () => {
      const found: Waiting[] = [];
      for (const jail of this.#opened().jails) {
        for (const family of FAMILIES) {
          const set = waitingSet(jail, family);
          const elements = await this.#readSome(set, clock(), most);
          if (elements.length > 0) found.push({ jail: jail.name, set, elements });
        }
      }
      return found;
    });
  }

  /** Takes bans out of a jail's set: the book has them, or nobody wants them. */
  release(set: BanSet, prefixes: readonly Prefix[], now: Instant): Promise<void> {
    return this.#serially(async () => {
      this.#opened();
      const unbans = prefixes.map((prefix) => ({
        set,
        change: { kind: "unban", prefix, target: set.target } as const,
      }));
      await this.#commit(unbans, now);
    });
  }

  /** Forgets what was counted of addresses, and that they are banned here. Answers when the kernel has. */
  forget(
    networks: readonly { readonly jail: string; readonly prefix: Prefix }[],
    now: Instant,
  ): Promise<void> {
    return this.#serially(async () => {
      const { jails } = this.#opened();
      const changes = networks.flatMap(({ jail: name, prefix }) => {
        const jail = jails.find((one) => one.name === name);
        if (jail === undefined) return [];
        const family = isV4(prefix.address) ? "v4" : "v6";
        const change = { kind: "unban", prefix, target: name } as const;
        return setsOfAddresses(jail, family).map((set) => ({ set, change }));
      });
      await this.#commit(changes, now);
    });
  }

  /** What each jail has counted, by its name. */
  counts(): Promise<ReadonlyMap<string, KernelCounts>> {
    return this.#serially(async () => {
      const { jails } = this.#opened();
      const counters = await readCounters(this.#session!, this.#table);
      return new Map(jails.map(({ name }) => [name, countsOf(name, counters)]));
    });
  }

  /** Lets go; with `flush` the table is taken away, else the kernel goes on counting and banning. */
  close({ flush }: { readonly flush: boolean }): Promise<void> {
    return this.#serially(async () => {
      try {
        if (flush) this.#session?.transact((batch) => new TableWriter(batch, this.#table).deleteTable());
      } finally {
        this.#letGo();
      }
    });
  }

  /** Other jails are not touched by this: they go on counting. */
  #ignore(plan: KernelPlan): void {
    if (ignoredIn(plan) === ignoredIn(this.#plan!)) return;
    const failures = this.#session!.transact((batch) => {
      const writer = new KernelTableWriter(batch, this.#table);
      for (const set of ignoredSetsOf(plan.jails)) {
        writer.plain.flushSet(set.name);
        writer.ignored(set, rangesFor(set, plan));
      }
    });
    mustHold("tell the kernel who is never banned", failures);
    this.#plan = plan;
  }

  async #commit(changes: readonly ElementChange[], now: Instant): Promise<void> {
    const { gone } = await commitElements(this.#session!, changes, {
      table: this.#table,
      dialect: this.#dialect,
      now,
      clock: () => now,
      size: this.#size,
    });
    if (gone) this.#noteLoss(`the table inet ${this.#table} or a set of it is gone`);
  }

  async #discard(): Promise<void> {
    const session = openSession();
    try {
      const { flags } = await findTable(session, this.#table);
      if (flags !== null) session.transact((batch) => new TableWriter(batch, this.#table).deleteTable());
    } finally {
      session.closeAside();
    }
  }

  async #establish(session: Session, plan: KernelPlan): Promise<void> {
    const { jails, cap } = plan;
    const found = await findTable(session, this.#table);
    const counters = found.flags === null ? [] : [...(await readCounters(session, this.#table)).keys()];
    const owned = takeTable(session, found.flags, { table: this.#table, owner: this.#owner });
    const waiting = jails.flatMap((jail) => FAMILIES.map((family) => waitingSet(jail, family)));
    const kept = new Set(found.sets.filter((set) => this.#fits(set, waiting)).map(({ name }) => name));
    const named = jails.flatMap(({ name }) => COUNTERS.map((counter) => counterOf(name, counter)));
    const failures = session.transact((batch) => {
      const writer = new KernelTableWriter(batch, this.#table);
      for (const chain of found.chains) writer.plain.flushChain(chain);
      for (const chain of found.chains) writer.plain.deleteChain(chain);
      for (const { name } of found.sets) if (!kept.has(name)) writer.plain.deleteSet(name);
      for (const name of counters) if (!named.includes(name)) writer.deleteCounter(name);
      if (found.flags !== null && found.chains.length > 0) writer.deleteCap();
      writer.cap({ packets: cap, seconds: 1, burst: cap });
      for (const name of named) writer.counter(name);
      for (const set of waiting) if (!kept.has(set.name)) writer.plain.banSet(set, this.#size);
      for (const set of countSetsOf(jails)) writer.countSet(set);
      for (const set of helpersOf(jails)) writer.plain.helperSet(set);
      for (const set of ignoredSetsOf(jails)) {
        writer.ignoredSet(set);
        writer.ignored(set, rangesFor(set, plan));
      }
      const bases = baseChains(jails);
      const chains = kernelChains(jails);
      for (const { name } of chains) writer.chain(name);
      for (const base of bases) writer.baseChain(base);
      for (const chain of [...chains, ...bases]) writer.rules(chain);
    });
    if (failures.length > 0) throw tableRefusal(failures, this.#table);
    if (owned) {
      this.#notices?.close();
      this.#notices = null;
    } else this.#notices ??= watchLoss(this.#table, session.socket.port, (fact) => this.#noteLoss(fact));
  }

  #fits(found: FoundSet, waiting: readonly BanSet[]): boolean {
    const set = waiting.find(({ name }) => name === found.name);
    const keyLength = set?.family === "v4" ? 4 : 16;
    return (
      set !== undefined &&
      found.flags === NFT_SET_TIMEOUT &&
      found.keyLength === keyLength &&
      found.size === this.#size
    );
  }

  /** The first elements that the kernel shows: to read all of a large set takes time that grows with the square of it. */
  async #readSome(set: BanSet, now: Instant, most: number): Promise<readonly Element[]> {
    const elements: Element[] = [];
    const session = openSession();
    try {
      const write = (e: { text(type: number, value: string): void }): void => {
        e.text(NFTA_SET_ELEM_LIST_TABLE, this.#table);
        e.text(NFTA_SET_ELEM_LIST_SET, set.name);
      };
      const answer = await session.dump({ type: NFT_MSG_GETSETELEM, write }, (message) => {
        elements.push(...elementsIn(message, set, now));
        return elements.length < most;
      });
      if (answer.errno !== 0) {
        this.#noteLoss(`the table inet ${this.#table} or a set of it is gone`);
        throw new StoplogError(`Cannot read whom the kernel has banned: ${factOfAnswer(answer)}`);
      }
    } finally {
      session.closeAside();
    }
    return elements;
  }

  #opened(): KernelPlan {
    if (this.#session === null || this.#plan === null)
      throw new StoplogError("Cannot ask the kernel for its jails: nftables is not open");
    return this.#plan;
  }

  #noteLoss(fact: string): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#onLost(fact);
  }

  #letGo(): void {
    this.#notices?.close();
    this.#notices = null;
    this.#session?.close();
    this.#session = null;
    this.#plan = null;
  }
}

/** Bans of one jail and family that the kernel has made. */
export interface Waiting {
  readonly jail: string;
  readonly set: BanSet;
  readonly elements: readonly Element[];
}

function countsOf(jail: string, counters: ReadonlyMap<string, Hits>): KernelCounts {
  const count = (name: CounterName): number => counters.get(counterOf(jail, name))?.packets ?? 0;
  return {
    stopped: count("stopped"),
    banned: count("banned"),
    capped: count("capped"),
    full: count("full"),
    uncounted: count("uncounted"),
  };
}

function rangesFor({ jail, family }: IgnoredSet, { jails, ignored }: KernelPlan): Ranges {
  const own = jails.find(({ name }) => name === jail);
  return (own?.ignored ?? ignored)[family];
}

/** The same but for who is left alone. */
function samePlan(a: KernelPlan, b: KernelPlan): boolean {
  const rest = ({ jails, cap }: KernelPlan): string =>
    JSON.stringify([cap, jails.map((jail) => ({ ...jail, ignored: null }))], plain);
  return rest(a) === rest(b);
}

function ignoredIn({ jails, ignored }: KernelPlan): string {
  return JSON.stringify([ignored, ...jails.map((jail) => jail.ignored)], plain);
}

/** What JSON has no word for. */
function plain(_key: string, value: unknown): unknown {
  if (value instanceof Uint32Array) return [...value];
  return value === Number.POSITIVE_INFINITY ? "for ever" : value;
}

import { isV4 } from "../../core/address.ts";
import { cannot, StoplogError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Prefix } from "../../core/prefix.ts";
import type { Instant } from "../../core/time.ts";
import { commitElements } from "../../enforce/nftables/commit.ts";
import type { Dialect } from "../../enforce/nftables/element-writer.ts";
import { probeDialect } from "../../enforce/nftables/probe.ts";
import { type Element, readSomeBans } from "../../enforce/nftables/read-bans.ts";
import { writeBanSet, writeHelperSet } from "../../enforce/nftables/write-sets.ts";
import { type BanSet, checkTargetName } from "../../enforce/ruleset/names.ts";
import { clockFrom, type ElementChange } from "../../enforce/ruleset/standing-sets.ts";
import { serially } from "../../enforce/serially.ts";
import { NFT_SET_EVAL, NFT_SET_INTERVAL, NFT_SET_TIMEOUT } from "../../kernel/nftables/constants.ts";
import type { Hits } from "../../kernel/nftables/counters.ts";
import type { FoundSet } from "../../kernel/nftables/find-table.ts";
import { OwnTable } from "../../kernel/nftables/own-table.ts";
import { mustHold } from "../../kernel/nftables/session.ts";
import type { TableWriter } from "../../kernel/nftables/table-writer.ts";
import { factOfAnswer } from "../../kernel/netlink/errors.ts";
import {
  baseChains,
  CAP,
  COUNTERS,
  type CounterName,
  counterOf,
  type CountSet,
  countSetsOf,
  FAMILIES,
  helpersOf,
  ignoredSetsOf,
  kernelChains,
  setsOfAddresses,
  waitingSet,
} from "./jail-rules.ts";
import { KERNEL_TABLE } from "../../kernel/nftables/table-names.ts";
import { type KernelPlan, rangesFor, sameIgnored, sameRules } from "./kernel-plan.ts";

export interface KernelTableOptions {
  /** The table's name, in family inet. */
  readonly table?: string;
  /** Whether only we may change the table, where the kernel supports it (6.9 and later). */
  readonly owner?: boolean;
  /** A bound on the bans of one jail and family that are not in the book yet. */
  readonly size?: number;
}

/** What one jail has counted since its rules were made. */
export type KernelCounts = Readonly<Record<CounterName, number>>;

/** Bans of one jail and family that the kernel has made. */
export interface Waiting {
  readonly jail: string;
  readonly set: BanSet;
  readonly elements: readonly Element[];
}

/**
 * Jails that the kernel counts for, in a table of their own. Invariant: either the rules of `#plan` are in the kernel, or the
 * table is lost and `open` makes all of it again.
 */
export class KernelTable {
  readonly #table: OwnTable;
  readonly #size: number;
  readonly #serially = serially();
  #dialect: Dialect | null = null;
  #plan: KernelPlan | null = null;
  #lost = false;

  constructor({
    table = KERNEL_TABLE,
    owner = true,
    size = LIMITS.kernelBans.value,
  }: KernelTableOptions = {}) {
    this.#table = new OwnTable({ name: table, owner });
    this.#size = size;
  }

  /** Deletes the table that an earlier run left, if there is one and no other process owns it. */
  static discard(table = KERNEL_TABLE): Promise<void> {
    return OwnTable.discard(table);
  }

  /**
   * Makes the table have exactly these jails, in one transaction. Bans that wait in it stay; counts start again, unless only the
   * ignored addresses change. `onLost` is called once when another program deleted some of it; then call `open` again.
   * Rejects with a StoplogError when the kernel refuses.
   */
  open(plan: KernelPlan, onLost: (fact: string) => void): Promise<void> {
    return this.#serially(async () => {
      for (const { name } of plan.jails) checkTargetName(name);
      const lost = (fact: string): void => {
        this.#lost = true;
        onLost(fact);
      };
      await this.#table.open(lost, async () => {
        if (!this.#lost && this.#plan !== null && sameRules(plan, this.#plan)) this.#ignore(plan, this.#plan);
        else await this.#create(plan);
        this.#dialect ??= probeDialect(this.#table.session, this.#table.name);
      });
      this.#plan = plan;
      this.#lost = false;
    });
  }

  /** Bans that the kernel has made, at most `most` of each jail and family, with their ends. */
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

  /** Removes bans from a jail's set: the book has them, or must not have them. */
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

  /** Resets the counts of these networks, and unbans them here. */
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
      const counters = await this.#table.counters();
      return new Map(jails.map(({ name }) => [name, countsOf(name, counters)]));
    });
  }

  /** Closes the table; with `flush` it is deleted, else the kernel goes on counting and banning. */
  close({ flush }: { readonly flush: boolean }): Promise<void> {
    return this.#serially(async () => {
      this.#plan = null;
      this.#dialect = null;
      this.#table.close({ flush });
    });
  }

  /** Changes the ignored addresses alone: the jails go on counting. */
  #ignore(plan: KernelPlan, before: KernelPlan): void {
    if (sameIgnored(plan, before)) return;
    const failures = this.#table.transact((writer) => {
      for (const set of ignoredSetsOf(plan.jails)) {
        writer.flushSet(set.name);
        writer.addRanges(set.name, rangesFor(set, plan));
      }
    });
    mustHold("tell the kernel which addresses are never banned", failures);
  }

  async #create(plan: KernelPlan): Promise<void> {
    const { jails, cap } = plan;
    const waiting = jails.flatMap((jail) => FAMILIES.map((family) => waitingSet(jail, family)));
    const counters = jails.flatMap(({ name }) => COUNTERS.map((counter) => counterOf(name, counter)));
    await this.#table.create((found) => {
      const sets = new Set(found.sets.filter((set) => this.#fits(set, waiting)).map(({ name }) => name));
      return {
        sets,
        objects: new Set(counters),
        write: (writer) => {
          writer.limit(CAP, { packets: cap, seconds: 1, burst: cap });
          for (const name of counters) writer.counter(name);
          for (const set of waiting) if (!sets.has(set.name)) writeBanSet(writer, set, this.#size);
          for (const set of countSetsOf(jails)) writeCountSet(writer, set);
          for (const set of helpersOf(jails)) writeHelperSet(writer, set);
          for (const set of ignoredSetsOf(jails)) {
            writer.set({ name: set.name, key: set.family, flags: NFT_SET_INTERVAL });
            writer.addRanges(set.name, rangesFor(set, plan));
          }
          writer.chains([...kernelChains(jails), ...baseChains(jails)]);
        },
      };
    });
  }

  /** Whether an existing set of waiting bans has the right type, flags and size. */
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

  async #commit(changes: readonly ElementChange[], now: Instant): Promise<void> {
    const { gone } = await commitElements(this.#table.session, changes, {
      table: this.#table.name,
      dialect: this.#dialect ?? "replace",
      now,
      clock: () => now,
      size: this.#size,
    });
    if (gone) this.#table.reportGone();
  }

  /** Reads only some elements: the kernel's time to list a large set grows with the square of its size. */
  async #readSome(set: BanSet, now: Instant, most: number): Promise<readonly Element[]> {
    const { bans, ended } = await readSomeBans(this.#table.name, set, { now, most });
    if (ended.errno === 0) return bans;
    this.#table.reportGone();
    throw cannot("read the bans that the kernel has made", factOfAnswer(ended));
  }

  #opened(): KernelPlan {
    if (this.#plan === null)
      throw new StoplogError("Cannot ask the kernel for its jails: nftables is not open");
    return this.#plan;
  }
}

/** A set in which the kernel counts. */
function writeCountSet(writer: TableWriter, { name, family, size, timeout }: CountSet): void {
  const flags = NFT_SET_EVAL | (timeout === null ? 0 : NFT_SET_TIMEOUT);
  writer.set({ name, key: family, flags, size, timeout: timeout === null ? null : timeout * 1000 });
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

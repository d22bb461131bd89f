import { systemClock } from "../../core/clock.ts";
import { setImmediate as nextTurn } from "node:timers/promises";
import { StoplogError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { formatPrefix } from "../../core/prefix.ts";
import type { Instant } from "../../core/time.ts";
import { OwnTable } from "../../kernel/nftables/own-table.ts";
import { READ_BOUND } from "../../kernel/nftables/read-elements.ts";
import type { Enforced, Enforcement, Enforcer, PacketTarget, Refusal } from "../enforcer.ts";
import { type BanSet, checkTargetName } from "../ruleset/names.ts";
import { clockFrom, type ElementChange, StandingSets } from "../ruleset/standing-sets.ts";
import { commitElements, type CommitOptions } from "./commit.ts";
import { createTable } from "./create-table.ts";
import { DesiredElements, type Pieces } from "./desired-elements.ts";
import type { Dialect } from "./element-writer.ts";
import { probeDialect } from "./probe.ts";
import { type Element, readBans, readUpTo } from "./read-bans.ts";
import { AT_ONCE, type Reload, reloadAtOnce, reloadInSteps, rewriteChain } from "./reload.ts";
import { writeBanSet } from "./write-sets.ts";

/** Bans sorted in one turn of the event loop: some 3 ms, with making them from the book's columns. */
const SORT_AT_ONCE = 2000;

export interface NftablesOptions {
  /** The table's name, in family inet. */
  readonly table?: string;
  /** The kernel refuses more elements in each set than this. */
  readonly size?: number;
  /** Whether only we may change the table, where the kernel supports it (6.9 and later). */
  readonly owner?: boolean;
  /** Found by trying unless set. */
  readonly dialect?: Dialect;
  readonly warn?: (sentence: string) => void;
  /** The clock that turns time left into instants when sets are read back. */
  readonly now?: () => Instant;
}

/**
 * Bans through nf_tables by messages of our own. Invariant: either the sets in `#standing` exist in the kernel and its rules look
 * them up, or the table is lost and `replace` makes all of it again.
 */
export class NftablesEnforcer implements Enforcer {
  readonly kind = "nftables";
  readonly expires = "kernel";
  readonly #table: OwnTable;
  readonly #size: number;
  readonly #warn: (sentence: string) => void;
  readonly #now: () => Instant;
  /** Null until it was found. */
  #dialect: Dialect | null;
  #standing = new StandingSets([], []);
  /** An upper bound on the elements of a set, by its name; none for a set that is not listed. */
  readonly #atMost = new Map<string, number>();

  constructor(options: NftablesOptions = {}) {
    this.#table = new OwnTable({ name: options.table ?? "stoplog", owner: options.owner ?? true });
    this.#size = options.size ?? LIMITS.setElements.value;
    this.#warn = options.warn ?? (() => undefined);
    this.#dialect = options.dialect ?? null;
    this.#now = options.now ?? systemClock.now;
  }

  async open(targets: readonly PacketTarget[], onLost: (fact: string) => void): Promise<void> {
    for (const { name } of targets) checkTargetName(name);
    // After a loss others may have added elements.
    this.#atMost.clear();
    await this.#table.open(onLost, async () => {
      await this.#create(targets);
      this.#dialect ??= probeDialect(this.#table.session, this.#table.name);
    });
  }

  async apply(changes: readonly Enforcement[], now: Instant): Promise<readonly Refusal[]> {
    const call = this.#call(now);
    this.#mustBeOpen();
    const { placed, refusals } = this.#place(changes, now);
    return [...refusals, ...(await this.#commit(placed, call()))];
  }

  async replace(bans: Iterable<Enforcement>, now: Instant): Promise<readonly Refusal[]> {
    const call = this.#call(now);
    this.#mustBeOpen();
    await this.#create([...this.#standing.targets.values()]);
    const { desired, filled, refusals } = await this.#sorted(bans, call());
    for (const set of this.#standing.all) {
      if (set.spare || filled.has(set.name)) continue;
      refusals.push(...(await this.#reload(set, desired.get(set.name) ?? [], call())));
    }
    return refusals;
  }

  async list(most: number = READ_BOUND): Promise<readonly Enforced[]> {
    this.#mustBeOpen();
    const enforced: Enforced[] = [];
    // A spare set holds bans that its set may hold as well.
    const held = new Set<string>();
    const sparesLast = this.#standing.all.toSorted((a, b) => Number(a.spare) - Number(b.spare));
    for (const set of sparesLast) {
      const hasSpare = this.#standing.has(`${set.name}_spare`);
      for (const ban of await this.#read(set, most)) {
        const key = hasSpare || set.spare ? `${set.target} ${formatPrefix(ban.prefix)}` : "";
        if (set.spare && held.has(key)) continue;
        if (hasSpare) held.add(key);
        enforced.push({ ...ban, target: set.target });
      }
    }
    return enforced;
  }

  async close({ flush }: { readonly flush: boolean }): Promise<void> {
    this.#standing = new StandingSets([], []);
    this.#atMost.clear();
    this.#table.close({ flush });
  }

  async #create(targets: readonly PacketTarget[]): Promise<void> {
    const { sets, made, misshapen } = await createTable(this.#table, targets, this.#size);
    const before = this.#standing;
    this.#standing = new StandingSets(targets, sets);
    for (const { name } of sets) if (!before.has(name)) this.#atMost.delete(name);
    for (const { name } of made) this.#atMost.set(name, 0);
    for (const set of misshapen) await this.#reshape(set);
  }

  async #read(set: BanSet, most: number): Promise<readonly Element[]> {
    const { bans, isAll } = await readUpTo(this.#table.name, set, { now: this.#now(), most });
    if (!isAll)
      this.#warn(
        `Only ${bans.length} bans of the set ${set.name} are read back: the kernel would need too long for more`,
      );
    return bans;
  }

  /** Makes a set with the wrong bound again, with its bans, if they can be read back. */
  async #reshape(set: BanSet): Promise<void> {
    const now = this.#now();
    const bans = set.spare ? null : await readBans(this.#table.name, set, now);
    if (bans === null) return;
    const changes = bans.map(({ prefix, until }): ElementChange => ({
      set,
      change: { kind: "ban", prefix, target: set.target, until },
    }));
    await this.#reloadInSteps(this.#reloadOf(set, changes, this.#call(now)()));
  }

  async #reload(set: BanSet, changes: Pieces, options: CommitOptions): Promise<readonly Refusal[]> {
    const reload = this.#reloadOf(set, changes, options);
    const small = changes.length <= AT_ONCE && !this.#standing.has(`${set.name}_spare`);
    if (small && (await this.#holdsAtMost(set, AT_ONCE)) && reloadAtOnce(reload)) {
      this.#atMost.set(set.name, changes.length);
      return [];
    }
    return this.#reloadInSteps(reload);
  }

  async #reloadInSteps(reload: Reload): Promise<readonly Refusal[]> {
    const { set, changes } = reload;
    const refusals = await reloadInSteps(reload);
    this.#standing.delete(`${set.name}_spare`);
    this.#atMost.set(set.name, changes.length);
    return refusals;
  }

  #reloadOf(set: BanSet, changes: Pieces, options: CommitOptions): Reload {
    const target = this.#standing.targets.get(set.target)!;
    return { table: this.#table, target, set, sets: this.#standing.all, changes, options };
  }

  /** Counts the set only when additions since the last count may exceed the bound. */
  async #holdsAtMost(set: BanSet, bound: number): Promise<boolean> {
    if ((this.#atMost.get(set.name) ?? Number.POSITIVE_INFINITY) <= bound) return true;
    return (await readBans(this.#table.name, set, 0, bound)) !== null;
  }

  /**
   * The bans by the names of their sets, SORT_AT_ONCE in a turn of the event loop. Bans of sets that are empty, as after a loss, go there at
   * once: the first ones hold before the last ones are read from the book.
   */
  async #sorted(bans: Iterable<Enforcement>, options: CommitOptions) {
    const desired = new Map<string, DesiredElements>();
    const filled = new Set(this.#standing.all.flatMap(({ name }) => (this.#isEmpty(name) ? name : [])));
    const refusals: Refusal[] = [];
    const sort = async (part: readonly Enforcement[]): Promise<void> => {
      const sorted = this.#place(part, options.now);
      refusals.push(...sorted.refusals);
      const now: ElementChange[] = [];
      for (const one of sorted.placed) {
        const { set, change } = one;
        let elements = desired.get(set.name);
        if (elements === undefined && this.#isEmpty(set.name)) filled.add(set.name);
        if (filled.has(set.name)) {
          now.push(one);
          continue;
        }
        if (elements === undefined) desired.set(set.name, (elements = new DesiredElements(set, options.now)));
        elements.add(change);
      }
      refusals.push(...(await this.#commit(now, options)));
    };
    let part: Enforcement[] = [];
    for (const ban of bans) {
      part.push(ban);
      if (part.length < SORT_AT_ONCE) continue;
      await sort(part);
      part = [];
      await nextTurn();
    }
    await sort(part);
    return { desired, filled, refusals };
  }

  #isEmpty(set: string): boolean {
    return this.#atMost.get(set) === 0 && !this.#standing.has(`${set}_spare`);
  }

  /** Applies changes to sets that exist, and counts the elements. */
  async #commit(placed: readonly ElementChange[], options: CommitOptions): Promise<readonly Refusal[]> {
    const committed = await commitElements(this.#table.session, placed, options);
    for (const { set } of placed) {
      const atMost = this.#atMost.get(set.name);
      if (atMost !== undefined) this.#atMost.set(set.name, atMost + 1);
    }
    if (committed.gone) this.#table.reportGone();
    return committed.refusals;
  }

  #place(changes: readonly Enforcement[], now: Instant) {
    const faults = new Map<string, string>();
    for (const set of this.#standing.missingFor(changes, now)) {
      const fault = this.#makeSet(set);
      if (fault !== null) faults.set(set.name, fault);
    }
    return this.#standing.place(changes, now, faults);
  }

  /** Null, or why the set could not be made. */
  #makeSet(set: BanSet): string | null {
    const target = this.#standing.targets.get(set.target)!;
    const sets = [...this.#standing.all, set];
    const failures = this.#table.transact((writer) =>
      rewriteChain(writer, { target, set, sets }, () => writeBanSet(writer, set, this.#size)),
    );
    const first = failures[0];
    if (first !== undefined) return this.#table.factOf(first);
    this.#standing.add(set);
    this.#atMost.set(set.name, 0);
    return null;
  }

  /** The clock of a call starts at the call, not at its turn; the dialect is known only once the table is open. */
  #call(now: Instant): () => CommitOptions {
    const clock = clockFrom(now);
    return () => ({
      table: this.#table.name,
      dialect: this.#dialect ?? "replace",
      now,
      clock,
      size: this.#size,
    });
  }

  #mustBeOpen(): void {
    if (!this.#table.isOpen) throw new StoplogError("Cannot change bans: nftables is not open");
  }
}

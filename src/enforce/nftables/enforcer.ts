import { setImmediate as nextTurn } from "node:timers/promises";
import { StoplogError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { formatPrefix } from "../../core/prefix.ts";
import type { Instant } from "../../core/time.ts";
import { ENOENT } from "../../kernel/native/system-error.ts";
import { factOfAnswer } from "../../kernel/netlink/errors.ts";
import type { Enforced, Enforcement, Enforcer, Refusal, PacketTarget } from "../enforcer.ts";
import { type BanSet, checkTableName, checkTargetName } from "../ruleset/names.ts";
import { clockFrom, type ElementChange, StandingSets } from "../ruleset/standing-sets.ts";
import { serially } from "../serially.ts";
import { commitElements, type CommitOptions } from "./commit.ts";
import type { Dialect } from "./elements.ts";
import { establish, type Shape } from "./establish.ts";
import { watchLoss } from "./loss.ts";
import { TableWriter } from "./messages.ts";
import { probeDialect } from "./probe.ts";
import { READ_BOUND, readElements } from "./read.ts";
import { AT_ONCE, type Refill, refillAtOnce, refillInSteps, rewriteChain } from "./refill.ts";
import { openSession, type Session } from "./session.ts";
import { type Pieces, WantedElements } from "./wanted.ts";

/** Some 3 ms of the event loop, with making them from what the book holds. */
const SORT_AT_ONCE = 2000;

export interface NftablesOptions {
  /** The table's name, in family inet. */
  readonly table?: string;
  /** Elements in each set at the most; the kernel refuses more. */
  readonly size?: number;
  /** Whether the table shall be ours alone where the kernel (6.9 and later) can do that. */
  readonly owner?: boolean;
  /** Found out by trying unless set. */
  readonly dialect?: Dialect;
  /** The clock that turns time left into instants when sets are read back. */
  readonly now?: () => Instant;
}

/**
 * Bans through nf_tables by messages of our own. Invariant: the sets in `#standing` are those that stand in the
 * kernel and are asked by its rules, or the table is lost and `replace` makes all of it again.
 */
export class NftablesEnforcer implements Enforcer {
  readonly kind = "nftables";
  readonly expires = "kernel";
  readonly #shape: Shape;
  readonly #now: () => Instant;
  readonly #wantedDialect: Dialect | undefined;
  readonly #serially = serially();
  #dialect: Dialect = "update";
  #session: Session | null = null;
  #notices: { close(): void } | null = null;
  #standing = new StandingSets([], []);
  /** No more elements than this are in a set, by its name; a set that is not listed may hold any number. */
  readonly #atMost = new Map<string, number>();
  #onLost: (fact: string) => void = () => {};
  #lost = false;

  constructor(options: NftablesOptions = {}) {
    const { table = "stoplog", size = LIMITS.setElements.value, owner = true } = options;
    checkTableName(table);
    this.#shape = { table, size, owner };
    this.#wantedDialect = options.dialect;
    this.#now = options.now ?? Date.now;
  }

  open(targets: readonly PacketTarget[], onLost: (fact: string) => void): Promise<void> {
    return this.#serially(async () => {
      for (const { name } of targets) checkTargetName(name);
      const first = this.#session === null;
      const session = (this.#session ??= openSession());
      this.#onLost = onLost;
      try {
        await this.#establish(session, targets);
        this.#dialect = this.#wantedDialect ?? probeDialect(session, this.#shape.table);
      } catch (thrown) {
        // What stood before still stands, and goes on being served.
        if (first) this.#letGo();
        throw thrown;
      }
    });
  }

  apply(changes: readonly Enforcement[], now: Instant): Promise<readonly Refusal[]> {
    const call = this.#call(now);
    return this.#serially(async () => {
      const session = this.#opened();
      const { placed, refusals } = this.#place(session, changes, now);
      const committed = await commitElements(session, placed, call());
      for (const { set } of placed) {
        const atMost = this.#atMost.get(set.name);
        if (atMost !== undefined) this.#atMost.set(set.name, atMost + 1);
      }
      if (committed.gone) this.#noteLoss(`the table inet ${this.#shape.table} or a set of it is gone`);
      return [...refusals, ...committed.refusals];
    });
  }

  replace(bans: Iterable<Enforcement>, now: Instant): Promise<readonly Refusal[]> {
    const call = this.#call(now);
    return this.#serially(async () => {
      const session = this.#opened();
      await this.#establish(session, [...this.#standing.targets.values()]);
      const { wanted, refusals } = await this.#sorted(session, bans, now);
      for (const set of this.#standing.all) {
        if (!set.spare)
          refusals.push(...(await this.#refill(session, set, wanted.get(set.name) ?? [], call())));
      }
      this.#lost = false;
      return refusals;
    });
  }

  list(): Promise<readonly Enforced[]> {
    return this.#serially(async () => {
      this.#opened();
      const enforced = new Map<string, Enforced>();
      for (const set of this.#standing.all) {
        const elements = await readElements(this.#shape.table, set, this.#now());
        if (elements === null) {
          throw new StoplogError(
            `Cannot list the bans in the kernel: the set ${set.name} has more than ${READ_BOUND} elements, which would take the kernel too long`,
          );
        }
        for (const element of elements) {
          const key = `${set.target} ${formatPrefix(element.prefix)}`;
          if (!set.spare || !enforced.has(key)) enforced.set(key, { ...element, target: set.target });
        }
      }
      return [...enforced.values()];
    });
  }

  close({ flush }: { readonly flush: boolean }): Promise<void> {
    return this.#serially(async () => {
      try {
        if (flush)
          this.#session?.transact((batch) => new TableWriter(batch, this.#shape.table).deleteTable());
      } finally {
        this.#letGo();
      }
    });
  }

  async #establish(session: Session, targets: readonly PacketTarget[]): Promise<void> {
    const { owned, sets, misshapen } = await establish(session, targets, this.#shape);
    const before = this.#standing;
    this.#standing = new StandingSets(targets, sets);
    for (const { name } of sets) if (!before.has(name)) this.#atMost.delete(name);
    if (owned) {
      // Nobody else can change the table now.
      this.#notices?.close();
      this.#notices = null;
    } else {
      const { port } = session.socket;
      this.#notices ??= watchLoss(this.#shape.table, port, (fact) => this.#noteLoss(fact));
    }
    for (const set of misshapen) await this.#reshape(session, set);
  }

  /** A set that an earlier run made with another bound: made anew, with its bans, when they can be read back. */
  async #reshape(session: Session, set: BanSet): Promise<void> {
    const now = this.#now();
    const elements = set.spare ? null : await readElements(this.#shape.table, set, now);
    if (elements === null) return;
    const changes = elements.map(({ prefix, until }): ElementChange => ({
      set,
      change: { kind: "ban", prefix, target: set.target, until },
    }));
    await this.#refillInSteps(this.#refillOf(session, set, changes, this.#call(now)()));
  }

  async #refill(
    session: Session,
    set: BanSet,
    changes: Pieces,
    options: CommitOptions,
  ): Promise<readonly Refusal[]> {
    const refill = this.#refillOf(session, set, changes, options);
    const small = changes.length <= AT_ONCE && !this.#standing.has(`${set.name}_spare`);
    if (small && (await this.#holdsAtMost(set, AT_ONCE)) && refillAtOnce(refill)) {
      this.#atMost.set(set.name, changes.length);
      return [];
    }
    return this.#refillInSteps(refill);
  }

  async #refillInSteps(refill: Refill): Promise<readonly Refusal[]> {
    const { set, changes } = refill;
    const refusals = await refillInSteps(refill);
    this.#standing.delete(`${set.name}_spare`);
    this.#atMost.set(set.name, changes.length);
    return refusals;
  }

  #refillOf(session: Session, set: BanSet, changes: Pieces, options: CommitOptions): Refill {
    const target = this.#standing.targets.get(set.target)!;
    return { session, target, set, sets: this.#standing.all, changes, options };
  }

  /** Reads the set only when what was added since it was last counted could be too much. */
  async #holdsAtMost(set: BanSet, bound: number): Promise<boolean> {
    if ((this.#atMost.get(set.name) ?? Number.POSITIVE_INFINITY) <= bound) return true;
    return (await readElements(this.#shape.table, set, 0, bound)) !== null;
  }

  /** The bans by the names of their sets; some thousand in each turn of the event loop. */
  async #sorted(session: Session, bans: Iterable<Enforcement>, now: Instant) {
    const wanted = new Map<string, WantedElements>();
    const refusals: Refusal[] = [];
    const sort = (part: readonly Enforcement[]): void => {
      const sorted = this.#place(session, part, now);
      refusals.push(...sorted.refusals);
      for (const { set, change } of sorted.placed) {
        let elements = wanted.get(set.name);
        if (elements === undefined) wanted.set(set.name, (elements = new WantedElements(set, now)));
        elements.add(change);
      }
    };
    let part: Enforcement[] = [];
    for (const ban of bans) {
      part.push(ban);
      if (part.length < SORT_AT_ONCE) continue;
      sort(part);
      part = [];
      await nextTurn();
    }
    sort(part);
    return { wanted, refusals };
  }

  #place(session: Session, changes: readonly Enforcement[], now: Instant) {
    const faults = new Map<string, string>();
    for (const set of this.#standing.missingFor(changes, now)) {
      const fault = this.#makeSet(session, set);
      if (fault !== null) faults.set(set.name, fault);
    }
    return this.#standing.place(changes, now, faults);
  }

  /** Null, or the fact why the set could not be made. */
  #makeSet(session: Session, set: BanSet): string | null {
    const { table, size } = this.#shape;
    const target = this.#standing.targets.get(set.target)!;
    const failures = session.transact((batch) =>
      rewriteChain(batch, { target, set, sets: [...this.#standing.all, set], table }, (writer) =>
        writer.banSet(set, size),
      ),
    );
    const first = failures[0];
    if (first === undefined) {
      this.#standing.add(set);
      this.#atMost.set(set.name, 0);
      return null;
    }
    if (first.errno !== ENOENT) return factOfAnswer(first);
    const fact = `the table inet ${table} or a chain of it is gone`;
    this.#noteLoss(fact);
    return fact;
  }

  /** The clock of a call starts when it comes, not when its turn comes; the dialect is only known once it is open. */
  #call(now: Instant): () => CommitOptions {
    const clock = clockFrom(now);
    return () => ({ table: this.#shape.table, dialect: this.#dialect, now, clock, size: this.#shape.size });
  }

  #opened(): Session {
    if (this.#session === null) throw new StoplogError("Cannot change bans: nftables is not open");
    return this.#session;
  }

  /** Once, until `replace` has put it right. */
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
    this.#standing = new StandingSets([], []);
    this.#atMost.clear();
  }
}

import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { cannot, StoplogError } from "../../core/errors.ts";
import { type AddressRanges, networksOf } from "../../core/ranges.ts";
import { inTurns } from "../../core/turns.ts";
import { ENOENT } from "../../kernel/native/system-error.ts";
import { factOfAnswer } from "../../kernel/netlink/errors.ts";
import { checkTableName } from "../../enforce/ruleset/names.ts";
import { serially } from "../../enforce/serially.ts";
import { watchLoss } from "../../enforce/nftables/loss.ts";
import { TableWriter } from "../../enforce/nftables/messages.ts";
import { findTable } from "../../enforce/nftables/read.ts";
import { type Failure, openSession, type Session } from "../../enforce/nftables/session.ts";
import { tableRefusal, takeTable, type TableWish } from "../../enforce/nftables/take-table.ts";
import { condense } from "./condense.ts";
import { type Hits, readCounters } from "../../enforce/nftables/counters.ts";
import { ELEMENTS_A_MESSAGE, ListWriter } from "./list-writer.ts";
import {
  BASE_CHAIN,
  checkListName,
  FAMILIES,
  type Generation,
  LARGEST_SET,
  listSet,
  type ListSet,
  type ListSpec,
  parseListSet,
  sourceChain,
  verdictChain,
  widthOf,
} from "./ruleset.ts";

const TABLE = "stoplog_lists";

export interface ListSetsOptions {
  /** The table's name, in family inet. */
  readonly table?: string;
  /** Whether the table shall be ours alone where the kernel (6.9 and later) can do that. */
  readonly owner?: boolean;
}

/**
 * Lists of addresses in the kernel, in a table of their own. Invariant: `#standing` says for each list which generation of
 * its sets the rules ask, or the table is lost and `open` makes all of it again.
 */
export class ListSets {
  readonly #wish: TableWish;
  readonly #serially = serially();
  #session: Session | null = null;
  #standing = new Map<string, Standing>();
  #notices: { close(): void } | null = null;
  #onLost: (fact: string) => void = () => {};
  #lost = false;

  constructor({ table = TABLE, owner = true }: ListSetsOptions = {}) {
    checkTableName(table);
    this.#wish = { table, owner };
  }

  /** Takes away what an earlier run left, if it did and nobody else owns it. */
  static async discard(table = TABLE): Promise<void> {
    const session = openSession();
    try {
      const { flags } = await findTable(session, table);
      if (flags !== null) session.transact((batch) => new TableWriter(batch, table).deleteTable());
    } finally {
      session.closeAside();
    }
  }

  /**
   * Makes the table have these lists and no others, in their order: a packet is counted by the first that stops it. What an
   * earlier run, or this one, loaded stays in force until it is replaced. `onLost` is told once when somebody took some of it
   * away; then call `open` again, and `replace` for each list.
   */
  open(lists: readonly ListSpec[], onLost: (fact: string) => void): Promise<void> {
    return this.#serially(async () => {
      for (const { name } of lists) checkListName(name);
      const first = this.#session === null;
      const session = (this.#session ??= openSession());
      try {
        await this.#establish(session, lists);
      } catch (thrown) {
        if (first) this.#letGo();
        throw thrown;
      }
      this.#onLost = onLost;
      this.#lost = false;
    });
  }

  /**
   * Puts other addresses into a list; answers how many elements hold them. Until they all stand those from before are in force; one
   * transaction changes over. Rejects with a StoplogError when that failed, and those from before stay in force.
   */
  replace(name: string, ranges: AddressRanges): Promise<number> {
    return this.#serially(async () => {
      const session = this.#opened();
      const before = this.#standing.get(name);
      if (before === undefined)
        throw new StoplogError(`Cannot load the list ${name}: there is none of that name`);
      const generation = before.generation === "a" ? "b" : "a";
      const loads: Load[] = [];
      for (const family of FAMILIES) {
        const networks = await inTurns(condense(await inTurns(networksOf(ranges[family])), MORE_ELEMENTS));
        for (const { length, words, firsts } of networks) {
          for (let from = 0, part = 1; from < firsts.length; from += LARGEST_SET * words, part++) {
            const set = listSet({ list: name, family, length, generation, part });
            loads.push({ set, firsts: firsts.subarray(from, from + LARGEST_SET * words) });
          }
        }
      }
      try {
        await this.#load(session, name, loads);
        this.#changeOver(session, before, {
          spec: before.spec,
          generation,
          sets: loads,
        });
      } catch (thrown) {
        await this.#deleteAll(session, loads);
        throw thrown;
      }
      await this.#discard(session, before.sets);
      return loads.reduce((sum, { set, firsts }) => sum + elementsIn(set, firsts), 0);
    });
  }

  /** What each list has counted since it was first there; a count goes on when the list is replaced, and after a restart. */
  counters(): Promise<ReadonlyMap<string, Hits>> {
    return this.#serially(() => readCounters(this.#opened(), this.#wish.table));
  }

  /** Lets go; with `flush` the table is taken away, else the lists stay in force. */
  close({ flush }: { readonly flush: boolean }): Promise<void> {
    return this.#serially(async () => {
      try {
        if (flush) this.#session?.transact((batch) => new TableWriter(batch, this.#wish.table).deleteTable());
      } finally {
        this.#letGo();
      }
    });
  }

  async #establish(session: Session, lists: readonly ListSpec[]): Promise<void> {
    const { table } = this.#wish;
    const found = await findTable(session, table);
    const counters = found.flags === null ? [] : [...(await readCounters(session, table)).keys()];
    const owned = takeTable(session, found.flags, this.#wish);
    const sets = found.sets.flatMap(({ name, flags, keyLength }) => {
      const set = parseListSet(name);
      return set !== null && flags === 0 && keyLength === widthOf(set.family) / 8 ? [set] : [];
    });
    const standing = lists.map((spec): Standing => {
      // The chains are there only when all sets of their generation were full.
      const generation = found.chains.includes(sourceChain(spec.name, "v4", "b")) ? "b" : "a";
      const complete = found.chains.includes(sourceChain(spec.name, "v4", generation));
      const own = sets.filter((set) => set.list === spec.name && set.generation === generation);
      return { spec, generation, sets: complete ? own.map((set) => ({ set, firsts: null })) : [] };
    });
    const kept = new Set(standing.flatMap((list) => list.sets.map(({ set }) => set.name)));
    const failures = session.transact((batch) => {
      const writer = new ListWriter(batch, table);
      for (const chain of found.chains) writer.plain.flushChain(chain);
      for (const chain of found.chains) writer.plain.deleteChain(chain);
      for (const { name } of found.sets) if (!kept.has(name)) writer.plain.deleteSet(name);
      for (const name of counters) if (!lists.some((list) => list.name === name)) writer.deleteCounter(name);
      for (const { spec } of standing) {
        writer.counter(spec.name);
        writer.chain(verdictChain(spec.name));
        writer.verdictRules(spec);
      }
      for (const list of standing) writeSources(writer, list);
      writer.baseChain();
      writer.baseRules(standing.map(({ spec: { name }, generation }) => ({ name, generation })));
    });
    if (failures.length > 0) throw tableRefusal(failures, table);
    this.#standing = new Map(standing.map((list) => [list.spec.name, list]));
    if (owned) {
      this.#notices?.close();
      this.#notices = null;
    } else this.#notices ??= watchLoss(table, session.socket.port, (fact) => this.#noteLoss(fact));
  }

  /** Fills sets that no rule asks yet, a thousand elements at a time. */
  async #load(session: Session, name: string, loads: readonly Load[]): Promise<void> {
    const { table } = this.#wish;
    for (const { set, firsts } of loads) {
      await nextTurn();
      this.#mustHold(
        name,
        session.transact((batch) => new ListWriter(batch, table).set(set, elementsIn(set, firsts))),
      );
      const share = ELEMENTS_A_MESSAGE * wordsOf(set);
      for (let from = 0; from < firsts.length; from += share) {
        await nextTurn();
        const to = Math.min(firsts.length, from + share);
        this.#mustHold(
          name,
          session.transact((batch) => new ListWriter(batch, table).elements(set, firsts, from, to)),
        );
      }
    }
  }

  #changeOver(session: Session, before: Standing, after: Standing): void {
    const { name } = before.spec;
    const lists = [...this.#standing.values()].map(({ spec, generation }) => ({
      name: spec.name,
      generation: spec.name === name ? after.generation : generation,
    }));
    this.#mustHold(
      name,
      session.transact((batch) => {
        const writer = new ListWriter(batch, this.#wish.table);
        writeSources(writer, after);
        writer.plain.flushChain(BASE_CHAIN);
        writer.baseRules(lists);
        for (const family of FAMILIES) {
          const chain = sourceChain(name, family, before.generation);
          writer.plain.flushChain(chain);
          writer.plain.deleteChain(chain);
        }
      }),
    );
    this.#standing.set(name, after);
  }

  /**
   * Takes away sets that no rule asks any more, emptied before. The kernel would free all elements of a full set in one go, on the
   * CPU that asked for it: half a million kept this process waiting for 74 ms. What an earlier run left must go so. The pauses are for
   * the kernel's own thread: without them it would get to its work when all is over, and do it in one go again.
   */
  async #discard(session: Session, sets: readonly StandingSet[]): Promise<void> {
    const { table } = this.#wish;
    for (const { set, firsts } of sets) {
      const share = ELEMENTS_A_MESSAGE * wordsOf(set);
      for (let from = 0; from < (firsts?.length ?? 0); from += share) {
        await sleep(PAUSE);
        const to = Math.min(firsts!.length, from + share);
        session.transact((batch) => new ListWriter(batch, table).deleteElements(set, firsts!, from, to));
      }
      await sleep(PAUSE);
      session.transact((batch) => new TableWriter(batch, table).deleteSet(set.name));
    }
  }

  /** What was loaded in vain; what of it is not there is no matter. */
  async #deleteAll(session: Session, loads: readonly Load[]): Promise<void> {
    for (const { set } of loads) {
      await nextTurn();
      session.transact((batch) => new TableWriter(batch, this.#wish.table).deleteSet(set.name));
    }
  }

  #opened(): Session {
    if (this.#session === null) throw new StoplogError("Cannot change lists: nftables is not open");
    return this.#session;
  }

  #mustHold(name: string, failures: readonly Failure[]): void {
    const first = failures[0];
    if (first === undefined) return;
    if (first.errno !== ENOENT) throw cannot(`load the list ${name}`, factOfAnswer(first));
    const fact = `the table inet ${this.#wish.table} or a part of it is gone`;
    this.#noteLoss(fact);
    throw cannot(`load the list ${name}`, fact);
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
    this.#standing.clear();
  }
}

/** Milliseconds. */
const PAUSE = 1;

/** By so large a share a list may grow for having fewer lengths of networks. */
const MORE_ELEMENTS = 0.25;

interface Standing {
  readonly spec: ListSpec;
  readonly generation: Generation;
  readonly sets: readonly StandingSet[];
}

/** A set, and what is in it; null when an earlier run has filled it. */
interface StandingSet {
  readonly set: ListSet;
  readonly firsts: Uint32Array | null;
}

/** A set, and the first addresses of what shall be in it. */
interface Load {
  readonly set: ListSet;
  readonly firsts: Uint32Array;
}

function writeSources(writer: ListWriter, { spec: { name }, generation, sets }: Standing): void {
  for (const family of FAMILIES) {
    writer.chain(sourceChain(name, family, generation));
    const own = sets.flatMap(({ set }) => (set.family === family ? [set] : []));
    writer.sourceRules(name, family, generation, own);
  }
}

function wordsOf({ family }: ListSet): number {
  return widthOf(family) / 32;
}

function elementsIn(set: ListSet, firsts: Uint32Array): number {
  return firsts.length / wordsOf(set);
}

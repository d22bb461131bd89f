import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { cannot, StoplogError } from "../../core/errors.ts";
import { type AddressRanges, networksOf } from "../../core/ranges.ts";
import { inTurns } from "../../core/turns.ts";
import { serially } from "../../enforce/serially.ts";
import type { Hits } from "../../kernel/nftables/counters.ts";
import type { FoundTable } from "../../kernel/nftables/find-table.ts";
import { checkName } from "../../kernel/nftables/name.ts";
import { OwnTable } from "../../kernel/nftables/own-table.ts";
import type { Failure } from "../../kernel/nftables/session.ts";
import { LISTS_TABLE } from "../../kernel/nftables/table-names.ts";
import { ELEMENTS_A_MESSAGE } from "../../kernel/nftables/table-writer.ts";
import { condense } from "./condense.ts";
import {
  BASE_CHAIN,
  baseChainOf,
  FAMILIES,
  type Generation,
  LARGEST_SET,
  listSet,
  type ListSet,
  type ListSpec,
  parseListSet,
  sourceChain,
  sourceChainsOf,
  verdictChainOf,
  widthOf,
} from "./list-rules.ts";

export interface ListSetsOptions {
  /** The table's name, in family inet. */
  readonly table?: string;
  /** Whether only we may change the table, where the kernel supports it (6.9 and later). */
  readonly owner?: boolean;
}

/**
 * Lists of addresses in the kernel, in a table of their own. Invariant: either `#standing` has the generation of sets that the rules of
 * each list look up, or the table is lost and `open` makes all of it again.
 */
export class ListSets {
  readonly #table: OwnTable;
  readonly #serially = serially();
  #standing = new Map<string, Standing>();

  constructor({ table = LISTS_TABLE, owner = true }: ListSetsOptions = {}) {
    this.#table = new OwnTable({ name: table, owner });
  }

  /** Deletes the table that an earlier run left, if there is one and no other process owns it. */
  static discard(table = LISTS_TABLE): Promise<void> {
    return OwnTable.discard(table);
  }

  /**
   * Makes the table have exactly these lists, in their order: the first list that stops a packet counts it. What an
   * earlier run, or this one, loaded stays in force until it is replaced. `onLost` is called once when another program deleted
   * some of it; then call `open` again, and `replace` for each list.
   */
  open(lists: readonly ListSpec[], onLost: (fact: string) => void): Promise<void> {
    return this.#serially(async () => {
      for (const { name } of lists) checkName(name, "a list");
      await this.#table.open(onLost, () => this.#create(lists));
    });
  }

  /**
   * Puts other addresses into a list; answers how many elements hold them. The old ones are in force until the new ones are complete;
   * one transaction changes over. Rejects with a StoplogError when that failed, and the old ones stay in force.
   */
  replace(name: string, ranges: AddressRanges): Promise<number> {
    return this.#serially(async () => {
      if (!this.#table.isOpen) throw new StoplogError("Cannot change lists: nftables is not open");
      const before = this.#standing.get(name);
      if (before === undefined) throw new StoplogError(`Cannot load the list ${name}: it does not exist`);
      const generation = before.generation === "a" ? "b" : "a";
      const loads = await loadsOf(name, generation, ranges);
      try {
        await this.#load(name, loads);
        this.#changeOver(before, { spec: before.spec, generation, sets: loads });
      } catch (thrown) {
        await this.#deleteAll(loads);
        throw thrown;
      }
      await this.#discard(before.sets);
      return loads.reduce((sum, { set, firsts }) => sum + elementsIn(set, firsts), 0);
    });
  }

  /** What each list has counted since it was first made. Counts continue when a list is replaced, and over a restart. */
  counters(): Promise<ReadonlyMap<string, Hits>> {
    return this.#serially(() => this.#table.counters());
  }

  /** Closes the table; with `flush` it is deleted, else the lists stay in force. */
  close({ flush }: { readonly flush: boolean }): Promise<void> {
    return this.#serially(async () => {
      this.#standing.clear();
      this.#table.close({ flush });
    });
  }

  async #create(lists: readonly ListSpec[]): Promise<void> {
    let standing: readonly Standing[] = [];
    await this.#table.create((found) => {
      standing = lists.map((spec) => standingIn(found, spec));
      const loaded = standing.map((list) => ({ ...list, sets: list.sets.map(({ set }) => set) }));
      return {
        sets: new Set(loaded.flatMap((list) => list.sets.map(({ name }) => name))),
        objects: new Set(lists.map(({ name }) => name)),
        write: (writer) => {
          for (const { name } of lists) writer.counter(name);
          writer.chains([
            ...lists.map(verdictChainOf),
            ...loaded.flatMap(sourceChainsOf),
            baseChainOf(loaded),
          ]);
        },
      };
    });
    this.#standing = new Map(standing.map((list) => [list.spec.name, list]));
  }

  /** Fills sets that no rule uses yet, a thousand elements at a time. */
  async #load(name: string, loads: readonly Load[]): Promise<void> {
    for (const { set, firsts } of loads) {
      await nextTurn();
      // The exact size makes the kernel choose a hash table that never grows.
      const size = elementsIn(set, firsts);
      this.#mustHold(
        name,
        this.#table.transact((writer) => writer.set({ name: set.name, key: set.family, flags: 0, size })),
      );
      for (const share of sharesOf(set, firsts)) {
        await nextTurn();
        this.#mustHold(
          name,
          this.#table.transact((writer) => writer.addAddresses(set.name, set.family, share)),
        );
      }
    }
  }

  #changeOver(before: Standing, after: Standing): void {
    const { name } = before.spec;
    const lists = [...this.#standing.values()].map((list) => (list.spec.name === name ? after : list));
    const failures = this.#table.transact((writer) => {
      writer.chains(sourceChainsOf({ ...after, sets: after.sets.map(({ set }) => set) }));
      writer.flushChain(BASE_CHAIN);
      writer.rules(baseChainOf(lists));
      for (const family of FAMILIES) {
        const chain = sourceChain(name, family, before.generation);
        writer.flushChain(chain);
        writer.deleteChain(chain);
      }
    });
    this.#mustHold(name, failures);
    this.#standing.set(name, after);
  }

  /**
   * Empties and deletes sets that no rule uses any more. The kernel would free the elements of a full set in one go, on the CPU of the
   * caller: half a million blocked this process for 74 ms. Sets of an earlier run are deleted that way, since their elements are not known.
   * The pauses let the kernel's own thread run: without them it would free everything at the end, in one go.
   */
  async #discard(sets: readonly StandingSet[]): Promise<void> {
    for (const { set, firsts } of sets) {
      for (const share of firsts === null ? [] : sharesOf(set, firsts)) {
        await sleep(PAUSE);
        this.#table.transact((writer) => writer.deleteAddresses(set.name, set.family, share));
      }
      await sleep(PAUSE);
      this.#table.transact((writer) => writer.deleteSet(set.name));
    }
  }

  /** Deletes the sets of a load that failed. Some of them may not exist. */
  async #deleteAll(loads: readonly Load[]): Promise<void> {
    for (const { set } of loads) {
      await nextTurn();
      this.#table.transact((writer) => writer.deleteSet(set.name));
    }
  }

  #mustHold(name: string, failures: readonly Failure[]): void {
    const first = failures[0];
    if (first !== undefined) throw cannot(`load the list ${name}`, this.#table.factOf(first));
  }
}

/** Milliseconds. */
const PAUSE = 1;

/** A list may grow by this share in order to have fewer prefix lengths. */
const MORE_ELEMENTS = 0.25;

interface Standing {
  readonly spec: ListSpec;
  readonly generation: Generation;
  readonly sets: readonly StandingSet[];
}

/** A set and its elements; null when an earlier run has filled it. */
interface StandingSet {
  readonly set: ListSet;
  readonly firsts: Uint32Array | null;
}

/** A set, and the first addresses of the networks that it shall hold. */
interface Load {
  readonly set: ListSet;
  readonly firsts: Uint32Array;
}

/** What an earlier run loaded of a list. Its chains exist only when all sets of their generation were complete. */
function standingIn({ chains, sets }: FoundTable, spec: ListSpec): Standing {
  const generation = chains.includes(sourceChain(spec.name, "v4", "b")) ? "b" : "a";
  const complete = chains.includes(sourceChain(spec.name, "v4", generation));
  const own = sets.flatMap(({ name, flags, keyLength }): StandingSet[] => {
    const set = parseListSet(name);
    const fits = set?.list === spec.name && set.generation === generation && flags === 0;
    return fits && keyLength === widthOf(set.family) / 8 ? [{ set, firsts: null }] : [];
  });
  return { spec, generation, sets: complete ? own : [] };
}

/** The ranges as sets of networks of equal length, none larger than LARGEST_SET. */
async function loadsOf(list: string, generation: Generation, ranges: AddressRanges): Promise<Load[]> {
  const loads: Load[] = [];
  for (const family of FAMILIES) {
    const networks = await inTurns(condense(await inTurns(networksOf(ranges[family])), MORE_ELEMENTS));
    for (const { length, words, firsts } of networks) {
      for (let from = 0, part = 1; from < firsts.length; from += LARGEST_SET * words, part++) {
        const set = listSet({ list, family, length, generation, part });
        loads.push({ set, firsts: firsts.subarray(from, from + LARGEST_SET * words) });
      }
    }
  }
  return loads;
}

/** Pieces that one message can hold. */
function* sharesOf(set: ListSet, firsts: Uint32Array): Generator<Uint32Array> {
  const share = ELEMENTS_A_MESSAGE * wordsOf(set);
  for (let from = 0; from < firsts.length; from += share) yield firsts.subarray(from, from + share);
}

function wordsOf({ family }: ListSet): number {
  return widthOf(family) / 32;
}

function elementsIn(set: ListSet, firsts: Uint32Array): number {
  return firsts.length / wordsOf(set);
}

import type { Family } from "../../core/family.ts";
import type { Chain, Part, Rule } from "../../kernel/nftables/rule.ts";

/** What is done with the packets of addresses on a list. `count` lets them through: so a list is tried. */
export type ListVerdict = "drop" | "reject" | "count";

export interface ListSpec {
  readonly name: string;
  readonly verdict: ListVerdict;
}

/**
 * A list in the kernel. Lists have a table of their own, so that nothing that is done to one concerns a ban:
 *
 *      prerouting ─► <list>_v4_a ───► <list>_verdict      named counter <list>
 *        every        source in a      counts, and drops,
 *        packet       set of hosts     rejects or returns
 *                     or networks
 *
 * There is one set for hosts and one for each length of networks, <list>_v4_32_a, as for bans. Sets of intervals
 * would be fewer, but take a hundred times as long to fill: measured with 500,000 networks, in steps of 1,000, 21 s and
 * 220 ms in one step, against 0.35 s and 3 ms, and 10 ms to make a set.
 *
 * A list that is loaded anew gets chains and sets of the other generation, a or b, beside those in force. Then one transaction has
 * the base chain jump to the new ones and takes the old ones away.
 */
export type Generation = "a" | "b";

export const FAMILIES: readonly Family[] = ["v4", "v6"];

export const BASE_CHAIN = "prerouting";

/** Behind the bans (-310), so that a list's counter shows what it stops beyond them; before raw (-300), as they are. */
const PRIORITY = -305;

export function sourceChain(list: string, family: Family, generation: Generation): string {
  return `${list}_${family}_${generation}`;
}

function verdictChain(list: string): string {
  return `${list}_verdict`;
}

/** A set of hosts, `length` being that of a whole address, or of the first addresses of networks. */
export interface ListSet {
  readonly name: string;
  readonly list: string;
  readonly family: Family;
  readonly length: number;
  readonly generation: Generation;
  /** From 1 on: what would be too much for one set is in several. */
  readonly part: number;
}

/**
 * Elements of one set at the most. The kernel makes the table for all of them within the transaction that makes the set: 4 MiB,
 * some 10 ms where memory is slow to come by (8 MiB for twice as many took 20 ms).
 */
export const LARGEST_SET = 393_216;

export function listSet(set: Omit<ListSet, "name">): ListSet {
  const { list, family, length, generation, part } = set;
  return { ...set, name: `${list}_${family}_${length}_${generation}${part > 1 ? part : ""}` };
}

/** Reads the name of a set in our table; null for one that is not ours. */
export function parseListSet(name: string): ListSet | null {
  const parts = /^(.+)_(v4|v6)_(\d{1,3})_(a|b)(\d{0,3})$/.exec(name);
  if (parts === null) return null;
  const [, list = "", family, length, generation, part] = parts;
  const set = listSet({
    list,
    family: family === "v4" ? "v4" : "v6",
    length: Number(length),
    generation: generation === "a" ? "a" : "b",
    part: part === "" ? 1 : Number(part),
  });
  return set.name === name && set.length <= widthOf(set.family) ? set : null;
}

export function widthOf(family: Family): 32 | 128 {
  return family === "v4" ? 32 : 128;
}

/** A list as the kernel has it: which sets it consists of. */
export interface LoadedList {
  readonly spec: ListSpec;
  readonly generation: Generation;
  readonly sets: readonly ListSet[];
}

/** The chains that come before those of the generations: they outlive a reload. */
export function verdictChainOf({ name, verdict }: ListSpec): Chain {
  return { name: verdictChain(name), base: null, rules: verdictRules(name, verdict) };
}

/** The chains that ask the sets of one generation, the longest prefixes first: most entries are hosts. */
export function sourceChainsOf({ spec: { name }, generation, sets }: LoadedList): readonly Chain[] {
  return FAMILIES.map((family) => ({
    name: sourceChain(name, family, generation),
    base: null,
    rules: sets
      .filter((set) => set.family === family)
      .toSorted((a, b) => b.length - a.length || a.part - b.part)
      .map((set): Rule => [
        { kind: "source", set: { ...set, length: set.length === widthOf(family) ? null : set.length } },
        { kind: "goto", chain: verdictChain(name) },
      ]),
  }));
}

/** The lists in their order, each with the generation that is in force. */
export function baseChainOf(lists: readonly Pick<LoadedList, "spec" | "generation">[]): Chain {
  return {
    name: BASE_CHAIN,
    base: { priority: PRIORITY },
    rules: lists.flatMap(({ spec, generation }) =>
      FAMILIES.map((family): Rule => [
        { kind: "family", family },
        { kind: "jump", chain: sourceChain(spec.name, family, generation) },
      ]),
    ),
  };
}

function verdictRules(list: string, verdict: ListVerdict): readonly Rule[] {
  const count: Part = { kind: "counter object", name: list };
  switch (verdict) {
    case "drop":
      return [[count, { kind: "drop" }]];
    case "count":
      return [[count, { kind: "return" }]];
    case "reject":
      // Counted in a rule of its own: TCP and other protocols are rejected by different rules.
      return [
        [count],
        [
          { kind: "protocol", protocol: TCP },
          { kind: "reject", with: "tcp reset" },
        ],
        [{ kind: "reject", with: "admin-prohibited" }],
      ];
  }
}

/** IANA's protocol number. */
const TCP = 6;

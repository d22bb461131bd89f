import type { Family } from "../../core/family.ts";
import type { Chain, Part, Rule } from "../../kernel/nftables/rule.ts";

/** What happens to packets from addresses on a list. `count` lets them through, to try a list. */
export type ListVerdict = "drop" | "reject" | "count";

export interface ListSpec {
  readonly name: string;
  readonly verdict: ListVerdict;
}

/**
 * The contents of the table of lists. It is separate from the table of bans, so changes of lists do not affect bans:
 *
 *      prerouting ─► <list>_v4_a ───► <list>_verdict      named counter <list>
 *        every        source in a      counts, and drops,
 *        packet       set of hosts     rejects or returns
 *                     or networks
 *
 * Each list has a set for each prefix length, such as <list>_v4_32_a, as bans have. Sets of intervals would be fewer, but take a hundred
 * times as long to fill: 500,000 networks in steps of 1,000 took 21 s, and 220 ms for the longest step, against 0.35 s, 3 ms, and 10 ms to
 * make a set.
 *
 * Loading a list again makes chains and sets of the other generation, a or b, beside the ones in force. Then one transaction makes the
 * base chain jump to the new ones and deletes the old ones.
 */
export type Generation = "a" | "b";

export const FAMILIES: readonly Family[] = ["v4", "v6"];

export const BASE_CHAIN = "prerouting";

/** After the bans (-310): a list's counter shows what it stops in addition. Before raw (-300), as the bans. */
const PRIORITY = -305;

export function sourceChain(list: string, family: Family, generation: Generation): string {
  return `${list}_${family}_${generation}`;
}

function verdictChain(list: string): string {
  return `${list}_verdict`;
}

/** A set of networks of one prefix length, by their first addresses; for hosts the length is that of an address. */
export interface ListSet {
  readonly name: string;
  readonly list: string;
  readonly family: Family;
  readonly length: number;
  readonly generation: Generation;
  /** From 1: networks beyond LARGEST_SET are in further sets. */
  readonly part: number;
}

/**
 * A bound on the elements of one set. The kernel allocates the hash table for all of them in the transaction that makes the set: 4 MiB,
 * some 10 ms on a machine that is slow to give memory (8 MiB for twice as many took 20 ms).
 */
export const LARGEST_SET = 393_216;

export function listSet(set: Omit<ListSet, "name">): ListSet {
  const { list, family, length, generation, part } = set;
  return { ...set, name: `${list}_${family}_${length}_${generation}${part > 1 ? part : ""}` };
}

/** Parses the name of a set in our table; null for another name. */
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

/** A list in the kernel, and its sets. */
export interface LoadedList {
  readonly spec: ListSpec;
  readonly generation: Generation;
  readonly sets: readonly ListSet[];
}

/** The verdict chain of a list, which both generations share. */
export function verdictChainOf({ name, verdict }: ListSpec): Chain {
  return { name: verdictChain(name), base: null, rules: verdictRules(name, verdict) };
}

/** The chains that look the source up in the sets of one generation, longest prefixes first: most entries are hosts. */
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

/** Jumps to the lists in their order, to the generation of each that is in force. */
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

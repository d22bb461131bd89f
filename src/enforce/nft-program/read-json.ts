import { parseAddress } from "../../core/address.ts";
import { prefixOf } from "../../core/prefix.ts";
import { FOREVER, type Instant, SECOND } from "../../core/time.ts";
import type { Enforced } from "../enforcer.ts";
import { parseBanSet } from "../ruleset/names.ts";

/** The contents of a table as `nft -j list table` prints them, libnftables-json(5). */
export interface Listed {
  readonly chains: readonly string[];
  readonly sets: readonly ListedSet[];
}

export interface ListedSet {
  readonly name: string;
  readonly type: string;
  readonly flags: readonly string[];
  readonly size: number;
  readonly elements: readonly unknown[];
}

export function readTable(json: unknown): Listed {
  const entries = listOf(fieldsOf(json)["nftables"]).map(fieldsOf);
  const chains: string[] = [];
  const sets: ListedSet[] = [];
  for (const entry of entries) {
    if (entry["chain"] !== undefined) chains.push(textOf(fieldsOf(entry["chain"])["name"]));
    if (entry["set"] === undefined) continue;
    const set = fieldsOf(entry["set"]);
    sets.push({
      name: textOf(set["name"]),
      type: textOf(set["type"]),
      flags: listOf(set["flags"]).map(textOf),
      size: numberOf(set["size"]),
      elements: listOf(set["elem"]),
    });
  }
  return { chains, sets };
}

/** The bans in a set of bans. nft prints the time left in whole seconds, rounded down. */
export function bansIn({ name, elements }: ListedSet, now: Instant): readonly Enforced[] {
  const set = parseBanSet(name);
  if (set === null) return [];
  return elements.flatMap((element) => {
    const timed = fieldsOf(fieldsOf(element)["elem"]);
    const a = parseAddress(textOf(typeof element === "string" ? element : timed["val"]));
    if (a === null) return [];
    const left = timed["expires"];
    const until = left === undefined ? FOREVER : now + (numberOf(left) + 1) * SECOND;
    return [
      { prefix: prefixOf(a, set.length ?? (set.family === "v4" ? 32 : 128)), target: set.target, until },
    ];
  });
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

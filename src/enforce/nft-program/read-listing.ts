import { parseAddress } from "../../core/address.ts";
import { prefixOf } from "../../core/prefix.ts";
import { FOREVER, type Instant, SECOND } from "../../core/time.ts";
import type { Enforced } from "../enforcer.ts";
import type { BanSet } from "../ruleset/names.ts";

/** A table as `nft -s -t list ruleset` prints it. */
export interface Listed {
  /** Everything that nft printed about it, to notice a change. */
  readonly text: string;
  readonly isDormant: boolean;
  readonly chains: readonly string[];
  readonly sets: readonly ListedSet[];
}

export interface ListedSet {
  readonly name: string;
  readonly type: string;
  readonly flags: string;
}

/**
 * One table of family inet; null when it is not there. Reads the text: of a table with flags that it does not know, nft 1.0.6 prints JSON that
 * ends in the middle.
 */
export function readTable(ruleset: string, table: string): Listed | null {
  const from = `\n${ruleset}`.indexOf(`\ntable inet ${table} {`);
  if (from < 0) return null;
  const end = ruleset.indexOf("\n}", from);
  const text = ruleset.slice(from, end < 0 ? undefined : end);
  const chains: string[] = [];
  const sets: ListedSet[] = [];
  for (const [, kind, name = "", body = ""] of text.matchAll(/^\t(chain|set) (\S+) \{\n((?:\t\t.*\n?)*)/gm)) {
    const word = (pattern: RegExp): string => pattern.exec(body)?.[1] ?? "";
    if (kind === "chain") chains.push(name);
    else sets.push({ name, type: word(/^\t\ttype (.+)$/m), flags: word(/^\t\tflags (.+)$/m) });
  }
  return { text, isDormant: /^\tflags .*\bdormant\b/m.test(text), chains, sets };
}

/** The bans in a set of bans, from `nft -j list set`. nft prints the time left in whole seconds, rounded down. */
export function bansIn(json: unknown, set: BanSet, now: Instant): readonly Enforced[] {
  const entries = listOf(fieldsOf(json)["nftables"]).map((entry) => fieldsOf(fieldsOf(entry)["set"]));
  return listOf(entries.find(({ name }) => name === set.name)?.["elem"]).flatMap((element) => {
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

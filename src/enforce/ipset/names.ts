import type { Family } from "../../core/family.ts";
import { parsePrefix, type Prefix } from "../../core/prefix.ts";
import { chainOf } from "../iptables/rules.ts";

/**
 * The sets of a target, and the list that rules name:
 *
 *      stoplog-default ┬ stoplog-default:4    addresses        ┬ stoplog-default:6
 *                      └ stoplog-default:4n   networks         └ stoplog-default:6n
 *
 * A spare set, which is filled and then swapped with the one in use, has `+` instead of `:`. ipset's names have at most 31 characters.
 */
export interface OurSet {
  readonly name: string;
  readonly spare: string;
  readonly type: "hash:ip" | "hash:net";
  readonly family: Family;
}

export function listOf(target: string): string {
  return chainOf(target);
}

export function setsOf(target: string): readonly OurSet[] {
  const list = listOf(target);
  return (["v4", "v6"] as const).flatMap((family) =>
    (["hash:ip", "hash:net"] as const).map((type) => {
      const end = `${family === "v4" ? "4" : "6"}${type === "hash:ip" ? "" : "n"}`;
      return { name: `${list}:${end}`, spare: `${list}+${end}`, type, family };
    }),
  );
}

/** An element of each of our sets, from which no packet can come: a set without it was emptied by another program. */
export const MARKS: Readonly<Record<Family, Prefix>> = {
  v4: mark("255.255.255.255"),
  v6: mark("ff00::"),
};

function mark(text: string): Prefix {
  return parsePrefix(text) as Prefix;
}

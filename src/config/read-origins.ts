import type { Duration } from "../core/time.ts";
import type { OriginRules } from "../orders/origin-rules.ts";
import type { TargetConfig } from "./config.ts";
import { originSchema } from "./origin-schema.ts";
import { entryOf, readNames, readObject, type Where } from "./read-object.ts";
import { missing } from "./section.ts";
import { NAME } from "./values.ts";
import { shorten, type Tree } from "./yaml-tree.ts";

/** Where orders come in, and from whom: a source, or a token of the API. */
export interface OrderDoor {
  /** The origin's name; rules that were not written are the standard ones. */
  readonly origin: string;
  /** What the door itself says for orders that do not; null for what the origin's rules say. */
  readonly bantime: Duration | null;
  readonly target: string | null;
}

/** What bans by jails, by hand, and those found in the firewall have for an origin: whoever is called so could lift them. */
const RESERVED = ["local", "operator", "restored"];

/** The rules of every origin that was written or that some door names. */
export function readOrigins(
  tree: Tree | null,
  doors: readonly OrderDoor[],
  targets: ReadonlyMap<string, TargetConfig>,
  where: Where,
): readonly OriginRules[] {
  const entries = readNames(tree, "origin", NAME, where);
  const written = new Map(
    [...entries].map(([name, { keyAt, value }]) => {
      const inside = { what: `origin ${shorten(name)}`, report: where.report, at: keyAt };
      const read = readObject(originSchema, value, inside);
      if (read.target !== undefined && !targets.has(read.target)) {
        const at = entryOf(value, "target")?.value.at ?? keyAt;
        where.report.error(inside.what, missing("target", read.target, [...targets.keys()]), at);
      }
      return [name, read] as const;
    }),
  );
  const names = new Set([...written.keys(), ...doors.map(({ origin }) => origin)]);
  for (const name of RESERVED)
    if (names.has(name))
      where.report.error(
        `origin ${name}`,
        "it needs another name: this one is for bans that are not ordered from elsewhere",
        entries.get(name)?.keyAt ?? where.at,
      );
  return [...names].map((name) => rulesOf(name, written.get(name) ?? {}, doors));
}

function rulesOf(
  name: string,
  written: ReturnType<typeof readObject<typeof originSchema>>,
  doors: readonly OrderDoor[],
): OriginRules {
  // Wrong values were reported; what is left is good, and all that is missing has a default.
  const rules = originSchema.parse({});
  const door = doors.find(({ origin }) => origin === name);
  const value = { ...rules, ...written };
  return {
    name,
    may: value.may,
    bantime: written.bantime ?? door?.bantime ?? rules.bantime,
    longest: value.longest,
    target: written.target ?? door?.target ?? rules.target,
    widest: { v4: value.widest_v4, v6: value.widest_v6 },
    rate: value.rate,
    mass: value.mass,
    bans: value.bans,
    liftsOthers: value.lifts_others,
  };
}

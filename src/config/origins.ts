import { z } from "zod";
import type { Duration } from "../core/time.ts";
import type { OriginRules } from "../orders/origin-rules.ts";
import { missing } from "../schema/missing.ts";
import { defaultsOf, type Section, type Written } from "../schema/section.ts";
import * as v from "../schema/values.ts";
import type { Chapter } from "./chapter.ts";
import type { TargetConfig } from "./config.ts";

// The section `origins`: the senders of orders.

const originSchema = z
  .strictObject({
    may: v
      .anyNumber(
        v.word(["ban", "unban", "allow", "unallow"]),
        "ban, unban, allow or unallow, or a list of them",
      )
      .prefault(["ban", "unban"])
      .meta({
        description:
          "What it may order; `[]` for nothing. While an `allow` lasts, no jail and no other origin bans the address; `unallow` takes it back, also that of another origin, and ends the trust after a login.",
        examples: [["ban"], []],
      }),
    bantime: v
      .duration({ forever: true, years: 100 })
      .prefault("1h")
      .meta({
        description: "How long its bans last when the order does not say; `-1` for permanent bans.",
        examples: ["5h"],
      }),
    longest: v
      .duration({ forever: true, years: 100 })
      .prefault("1w")
      .meta({ description: "Longer bans are shortened to this.", examples: ["1d"] }),
    target: v
      .name("the name of a target")
      .default("default")
      .meta({ description: "The target of its bans when the order names none.", examples: ["slow"] }),
    widest_v4: v
      .wholeNumber(0, 32)
      .default(24)
      .meta({
        description:
          "Orders about IPv4 networks with shorter prefixes are held for approval (`stoplog held`).",
        examples: [32],
      }),
    widest_v6: v
      .wholeNumber(0, 128)
      .default(48)
      .meta({ description: "The same for IPv6.", examples: [64] }),
    rate: v
      .wholeNumber(1, 10_000_000)
      .default(100_000)
      .meta({ description: "Orders a second; more are refused.", examples: [1000] }),
    mass: v
      .wholeNumber(1, 1_000_000_000)
      .default(1_000_000)
      .meta({ description: "Orders a minute; more are held for approval.", examples: [10_000] }),
    bans: v
      .wholeNumber(1, 10_000_000)
      .default(500_000)
      .meta({ description: "Its concurrent bans; more are refused.", examples: [10_000] }),
    lifts_others: v.flag().default(false).meta({
      description: "`true`: its `unban` also ends bans by jails, by hand and by other origins.",
    }),
  })
  .meta({ description: "A sender of orders, and how far it is trusted." });

export const originsKey = z
  .record(z.string().regex(v.NAME), originSchema)
  .optional()
  .meta({
    description: "The senders of orders, by name, and how far each is trusted.",
    examples: [{ scorer: { may: ["ban"], longest: "1d" } }],
  });

export const originsChapter: Chapter = {
  title: "Origins",
  text: "The senders of orders, and how far each is trusted. A source with `orders: true`, a source of type zmq and a token of the API name their origin; an origin that is not written here has the defaults.",
  parts: [{ title: null, text: "", schema: originSchema }],
};

/** Where orders of an origin come in: a source, or a token of the API. */
export interface OrderDoor {
  readonly origin: string;
  /** For orders that do not say; null for what the origin's rules say. */
  readonly bantime: Duration | null;
  readonly target: string | null;
}

/** The origins of bans by jails, bans by hand and bans found in the firewall: an origin with such a name could unban them. */
const RESERVED = ["local", "operator", "restored"];

/** The rules of every origin that is written or that a door names. */
export function readOrigins(
  top: Section,
  doors: readonly OrderDoor[],
  targets: ReadonlyMap<string, TargetConfig>,
): readonly OriginRules[] {
  const written = new Map<string, Written<typeof originSchema>>();
  const places = new Map<string, number>();
  top.named("origins", "origin", (name, section) => {
    const read = section.written(originSchema);
    if (read.target !== undefined && !targets.has(read.target))
      section.refuseValue(missing("target", read.target, [...targets.keys()]), "target");
    written.set(name, read);
    places.set(name, section.at);
  });
  const names = new Set([...written.keys(), ...doors.map(({ origin }) => origin)]);
  for (const name of RESERVED)
    if (names.has(name))
      top.report.error(
        `origin ${name}`,
        "the name is reserved for bans that are not ordered from elsewhere",
        places.get(name) ?? top.at,
      );
  return [...names].map((name) => rulesOf(name, written.get(name) ?? {}, doors));
}

function rulesOf(
  name: string,
  written: Written<typeof originSchema>,
  doors: readonly OrderDoor[],
): OriginRules {
  const door = doors.find(({ origin }) => origin === name);
  const standard = defaultsOf(originSchema);
  const values = { ...standard, ...written };
  return {
    name,
    may: values.may,
    bantime: written.bantime ?? door?.bantime ?? standard.bantime,
    longest: values.longest,
    target: written.target ?? door?.target ?? standard.target,
    widest: { v4: values.widest_v4, v6: values.widest_v6 },
    rate: values.rate,
    mass: values.mass,
    bans: values.bans,
    unbansOthers: values.lifts_others,
  };
}

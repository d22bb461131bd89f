import { z } from "zod";
import { duration, flag, name, oneOrMore, wholeNumber, word } from "./values.ts";

/** How far orders of one origin are trusted. */
export const originSchema = z
  .strictObject({
    may: oneOrMore(word(["ban", "unban", "allow"]), "ban, unban or allow, or a list of them")
      .prefault(["ban", "unban"])
      .meta({
        description:
          "What it may order. An `allow` keeps all jails and origins from banning somebody for its time.",
        examples: [["ban"]],
      }),
    bantime: duration({ forever: true, years: 100 })
      .prefault("1h")
      .meta({
        description: "How long its bans last when the order does not say; `-1` for ever.",
        examples: ["5h"],
      }),
    longest: duration({ forever: true, years: 100 })
      .prefault("1w")
      .meta({ description: "Longer ones are shortened to it.", examples: ["1d"] }),
    target: name("the name of a target")
      .default("default")
      .meta({ description: "Where its bans go when the order does not say.", examples: ["slow"] }),
    widest_v4: wholeNumber(0, 32)
      .default(24)
      .meta({
        description: "Networks with fewer bits are held until somebody has looked at them (`stoplog held`).",
        examples: [32],
      }),
    widest_v6: wholeNumber(0, 128)
      .default(48)
      .meta({ description: "The same for IPv6.", examples: [64] }),
    rate: wholeNumber(1, 10_000_000)
      .default(100_000)
      .meta({ description: "Orders a second; more are refused.", examples: [1000] }),
    mass: wholeNumber(1, 1_000_000_000)
      .default(1_000_000)
      .meta({
        description: "Orders a minute; more are held until somebody has looked at them.",
        examples: [10_000],
      }),
    bans: wholeNumber(1, 10_000_000)
      .default(500_000)
      .meta({
        description: "Bans of its own that may stand at the same time; more are refused.",
        examples: [10_000],
      }),
    lifts_others: flag().default(false).meta({
      description: "`true` when its unban also lifts what others have banned: jails, people, other origins.",
    }),
  })
  .meta({ description: "Somebody whose orders are taken, and how far he is trusted." });

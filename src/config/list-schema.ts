import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import { HOUR } from "../core/time.ts";
import { DEFAULT_SWAY } from "../lists/reading/check-list.ts";
import { SHORTEST_INTERVAL } from "../lists/reading/fetch-schedule.ts";
import { DEFAULT_BOUNDS } from "../lists/reading/parse-list.ts";
import { duration, path, shown, text, wholeNumber, word } from "./values.ts";

const interval = duration({ forever: false, years: 1 }).refine((value) => value >= SHORTEST_INTERVAL, {
  error: `must be ${SHORTEST_INTERVAL / HOUR}h or more: the owners of lists want no more`,
});

export const listSchema = z
  .strictObject({
    file: path("an absolute path")
      .optional()
      .meta({ description: "A file to watch.", examples: ["/etc/stoplog/bad.txt"] }),
    directory: path("an absolute path")
      .optional()
      .meta({
        description:
          "A folder whose files are the list together, but those whose names begin with a dot or end in `~`, `.tmp`, `.new`, `.part`, `.bak` or `.swp`.",
        examples: ["/etc/stoplog/lists.d"],
      }),
    url: text("a URL")
      .refine(isFetchable, {
        error: (issue) =>
          `must begin with https:// or http:// and hold no password, not ${shown(issue.input)}`,
      })
      .optional()
      .meta({
        description: "Where it is fetched. The last good copy is kept with the state.",
        examples: ["https://www.spamhaus.org/drop/drop_v4.json"],
      }),
    interval: interval.prefault("1d").meta({
      description:
        "How often a URL is asked for news; an hour at the least, and never sooner than the server or the list itself allow.",
      examples: ["6h"],
    }),
    headers: z
      .record(z.string().regex(/^[A-Za-z0-9-]{1,64}$/), text("a text").regex(/^[\x20-\x7e]*$/))
      .optional()
      .meta({
        description: "Headers for the URL's own host, such as a key.",
        examples: [{ Key: "0123" }],
      }),
    verdict: word(["drop", "reject", "count"])
      .default("drop")
      .meta({
        description:
          "What becomes of packets from what is on it: dropped, refused, or only counted, to see what a list would do.",
        examples: ["count"],
      }),
    widest_ipv4: wholeNumber(1, 32)
      .default(DEFAULT_BOUNDS.widestV4)
      .meta({
        description: "The shortest IPv4 prefix that is taken; anything wider is left out and said.",
        examples: [16],
      }),
    widest_ipv6: wholeNumber(1, 128)
      .default(DEFAULT_BOUNDS.widestV6)
      .meta({
        description: "The same for IPv6.",
        examples: [32],
      }),
    grow: wholeNumber(1, 1000)
      .default(DEFAULT_SWAY.grow)
      .meta({
        description: `A list that is more than so many times as large as before, and at least ${DEFAULT_SWAY.difference} networks larger, is held back.`,
        examples: [10],
      }),
    shrink: z
      .number({ error: (issue) => `must be a number, not ${shown(issue.input)}` })
      .min(0, { error: "must be 0 or more" })
      .max(1, { error: "must be 1 or less" })
      .default(DEFAULT_SWAY.shrink)
      .meta({
        description: `A list that is smaller than this share of what it was, and at least ${DEFAULT_SWAY.difference} networks smaller, is held back.`,
        examples: [0.2],
      }),
    entries: wholeNumber(1, 10_000_000)
      .default(LIMITS.listEntries.value)
      .meta({
        description: "Entries that are taken at the most.",
        examples: [100_000],
      }),
  })
  .meta({
    description:
      "Lists of addresses and networks whose packets are stopped without any jail: one a line with comments, ranges, JSON lines.",
  });

/** A password in a URL would show in logs; a header does not. */
function isFetchable(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, username, password } = new URL(value);
  return (protocol === "https:" || protocol === "http:") && username === "" && password === "";
}

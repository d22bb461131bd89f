import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import { HOUR } from "../core/time.ts";
import type { ListConfig } from "../lists/lists.ts";
import { DEFAULT_SWAY } from "../lists/reading/check-list.ts";
import { SHORTEST_INTERVAL } from "../lists/reading/fetch-schedule.ts";
import { DEFAULT_BOUNDS } from "../lists/reading/parse-list.ts";
import type { Section } from "../schema/section.ts";
import * as v from "../schema/values.ts";
import type { Chapter } from "./chapter.ts";

// The section `lists`.

const listSchema = z
  .strictObject({
    file: v
      .path()
      .optional()
      .meta({ description: "A file; changes are followed.", examples: ["/etc/stoplog/bad.txt"] }),
    directory: v
      .path()
      .optional()
      .meta({
        description:
          "A directory whose files make up the list. Skipped: names that begin with a dot or end in `~`, `.tmp`, `.new`, `.part`, `.bak` or `.swp`.",
        examples: ["/etc/stoplog/lists.d"],
      }),
    url: v
      .url()
      .optional()
      .meta({
        description: "A URL to fetch. The last good copy is kept in the state directory.",
        examples: ["https://www.spamhaus.org/drop/drop_v4.json"],
      }),
    interval: v
      .duration({ forever: false, years: 1 })
      .refine((value) => value >= SHORTEST_INTERVAL, {
        error: `must be ${SHORTEST_INTERVAL / HOUR}h or more: publishers of lists ask for no more`,
      })
      .prefault("1d")
      .meta({
        description:
          "How often the URL is fetched: at most once an hour, and no more often than the server or the list allows.",
        examples: ["6h"],
      }),
    headers: v
      .headers()
      .optional()
      .meta({ description: "HTTP headers for the URL's host, such as a key.", examples: [{ Key: "0123" }] }),
    verdict: v
      .word(["drop", "reject", "count"])
      .default("drop")
      .meta({
        description:
          "What happens to packets from these addresses: `drop`, `reject`, or only `count`, to try a list.",
        examples: ["count"],
      }),
    widest_ipv4: v
      .wholeNumber(1, 32)
      .default(DEFAULT_BOUNDS.widestV4)
      .meta({
        description: "The shortest IPv4 prefix that is accepted; wider networks are skipped and reported.",
        examples: [16],
      }),
    widest_ipv6: v
      .wholeNumber(1, 128)
      .default(DEFAULT_BOUNDS.widestV6)
      .meta({ description: "The same for IPv6.", examples: [32] }),
    grow: v
      .wholeNumber(1, 1000)
      .default(DEFAULT_SWAY.grow)
      .meta({
        description: `A new version is held back when it is more than this many times as large and has at least ${DEFAULT_SWAY.difference} networks more.`,
        examples: [10],
      }),
    shrink: v
      .fraction(0, 1)
      .default(DEFAULT_SWAY.shrink)
      .meta({
        description: `A new version is held back when it is smaller than this share of the previous one and has at least ${DEFAULT_SWAY.difference} networks fewer.`,
        examples: [0.2],
      }),
    entries: v
      .wholeNumber(1, 10_000_000)
      .default(LIMITS.listEntries.value)
      .meta({ description: "The most entries that are accepted.", examples: [100_000] }),
  })
  .meta({
    description:
      "Lists of addresses and networks whose packets are stopped without a jail: one a line with comments, ranges, JSON lines.",
  });

export const listsKey = z
  .record(z.string().regex(v.NAME), listSchema)
  .optional()
  .meta({
    description: "Lists of addresses whose packets are stopped without a jail, by name.",
    examples: [{ spamhaus: { url: "https://www.spamhaus.org/drop/drop_v4.json" } }],
  });

export const listsChapter: Chapter = {
  title: "Lists",
  text: "Lists of addresses and networks whose packets are stopped without a jail: one a line with comments, ranges, or JSON lines. Each list has a name of your choice, and one of `file`, `directory` and `url`.",
  parts: [{ title: null, text: "", schema: listSchema }],
};

/** A list with errors is left out; they are reported. */
export function readLists(top: Section): readonly ListConfig[] {
  return [...top.named("lists", "list", readList).values()].filter((list) => list !== null);
}

const PLACES = ["file", "directory", "url"];

function readList(name: string, section: Section): ListConfig {
  const { url, file, directory = file ?? "", interval, headers = {}, ...values } = section.filled(listSchema);
  if (section.tree?.kind === "map") {
    if (PLACES.filter((key) => section.has(key)).length !== 1)
      section.refuse(`it needs one of ${PLACES.join(", ")}`);
    if (!section.has("url")) section.refuseKeys(["interval", "headers"], "needs url");
  }
  // The name is part of a set's name, which nft and ipset do not accept otherwise.
  if (/^[0-9]/.test(name)) section.refuse("the name must begin with a letter");
  return {
    verdict: values.verdict,
    name,
    from: url === undefined ? { kind: "files", path: directory } : { kind: "url", url, headers, interval },
    bounds: {
      ...DEFAULT_BOUNDS,
      widestV4: values.widest_ipv4,
      widestV6: values.widest_ipv6,
      entries: values.entries,
    },
    sway: { ...DEFAULT_SWAY, grow: values.grow, shrink: values.shrink },
  };
}

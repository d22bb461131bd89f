import { z } from "zod";
import * as v from "../schema/values.ts";
import { apiChapter, apiKey } from "./api.ts";
import type { Chapter } from "./chapter.ts";
import { filtersChapter } from "./filters.ts";
import { defaultsKey, jailsChapter, jailsKey } from "./jails.ts";
import { limitsChapter, limitsKey } from "./limits.ts";
import { listsChapter, listsKey } from "./lists.ts";
import { logChapter, logKey } from "./log.ts";
import { metricsChapter, metricsKey } from "./metrics.ts";
import { notifyChapter, notifyKey } from "./notify.ts";
import { originsChapter, originsKey } from "./origins.ts";
import { publishChapter, publishKey } from "./publish.ts";
import { sourcesChapter, sourcesKey } from "./sources.ts";
import { targetsChapter, targetsKey } from "./targets.ts";

/** The keys at the top of a configuration that are sections, each read by the file that its schema comes from. */
export const sections = {
  sources: sourcesKey,
  targets: targetsKey,
  jails: jailsKey,
  defaults: defaultsKey,
  notify: notifyKey,
  api: apiKey,
  metrics: metricsKey,
  origins: originsKey,
  lists: listsKey,
  publish: publishKey,
  limits: limitsKey,
  log: logKey,
};

/** The whole configuration. `check`, the reference page and the JSON Schema for editors are made from it. */
export const configSchema = z
  .strictObject({
    ...sections,
    ignoreip: v
      .ignoreList()
      .prefault([])
      .meta({
        description:
          "Addresses that no jail ever bans: addresses, networks, and `self` for this machine; host names, resolved every five minutes; and `file:/PATH`, read again when it changes.",
        examples: [["127.0.0.0/8", "::1", "192.0.2.0/24", "host.example.org", "file:/etc/stoplog/allowed"]],
      }),
    spare_sessions: v.flag().default(true).meta({
      description:
        "Addresses from which a user is logged in (by utmp and logind) are never dropped or rejected, by jails and orders alike; a target that throttles takes them.",
    }),
    state: z
      .union([v.path(), z.literal(false)], {
        error: (issue) =>
          `must be the absolute path of a directory, or false to keep nothing, not ${v.shown(issue.input)}`,
      })
      .optional()
      .meta({
        description:
          "The directory that keeps bans, counters and read positions over a restart; `false` for none. Without it, the service's (`STATE_DIRECTORY` of systemd), /var/lib/stoplog for root, and none for other users.",
        examples: ["/var/lib/stoplog", false],
      }),
  })
  .meta({
    title: "Stoplog's configuration",
    description: "What Stoplog watches, what it bans, and for how long.",
  });

/** The sections in the order of the reference page. */
export const CHAPTERS: readonly Chapter[] = [
  sourcesChapter,
  targetsChapter,
  jailsChapter,
  listsChapter,
  filtersChapter,
  originsChapter,
  publishChapter,
  apiChapter,
  metricsChapter,
  notifyChapter,
  limitsChapter,
  logChapter,
];

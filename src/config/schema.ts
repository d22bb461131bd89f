import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import { jailSchema } from "./jail-schema.ts";
import { listSchema } from "./list-schema.ts";
import { apiSchema } from "./api-schema.ts";
import { notifySchema } from "./notify-schema.ts";
import { originSchema } from "./origin-schema.ts";
import { publishSchema } from "./publish-schema.ts";
import { sourceSchemas } from "./source-schema.ts";
import { waySchema } from "./target-schema.ts";
import { ignoreList, NAME, path, shown, wholeNumber, word } from "./values.ts";

// The one description of the configuration: what `check` refuses, what the reference page tells and what an editor completes
// are all made from it. Defaults are written as a user would write them.

export const limitsSchema = z
  .strictObject({
    bans: wholeNumber(1, 10_000_000)
      .default(LIMITS.bans.value)
      .meta({ description: `Bans at the same time; at more, ${LIMITS.bans.full}.`, examples: [100_000] }),
    packet_bans: wholeNumber(1, 10_000_000)
      .default(LIMITS.packetBans.value)
      .meta({
        description: `Bans for packets in a second; at more, ${LIMITS.packetBans.full}.`,
        examples: [100],
      }),
  })
  .meta({ description: "Bounds that may be moved." });

export const logSchema = z
  .strictObject({
    level: word(["error", "warn", "info", "debug"])
      .default("info")
      .meta({
        description: "The least important messages that are written.",
        examples: ["warn"],
      }),
    format: word(["text", "json"])
      .default("text")
      .meta({
        description: "`text` for people and the journal, `json` for machines.",
        examples: ["json"],
      }),
  })
  .meta({ description: "Stoplog's own log, on standard error." });

const sourceSchema = z.discriminatedUnion("type", [
  sourceSchemas.file,
  sourceSchemas.syslog,
  sourceSchemas.journal,
  sourceSchemas.zmq,
  sourceSchemas.command,
  sourceSchemas.stdin,
]);

export const configSchema = z
  .strictObject({
    sources: z
      .record(z.string().regex(NAME), sourceSchema)
      .optional()
      .meta({
        description: "Where lines come from, by name.",
        examples: [{ auth: { type: "file", path: "/var/log/auth.log" } }],
      }),
    targets: z
      .record(z.string().regex(NAME), z.union([waySchema, z.array(waySchema).min(1)]))
      .optional()
      .meta({
        description:
          "Ways to enforce bans, by name; a list of ways goes them all at once. Two are there without being written: `default` (nftables, drop, all traffic) and `throttle` (nftables, one packet a second from each address).",
        examples: [{ slow: { verdict: "throttle", rate: "10/minute" } }],
      }),
    jails: z
      .record(z.string().regex(NAME), jailSchema)
      .optional()
      .meta({
        description: "Who is banned for what, by name.",
        examples: [{ sshd: { sources: ["auth"], maxretry: 3 } }],
      }),
    notify: z
      .record(z.string().regex(NAME), notifySchema)
      .optional()
      .meta({
        description: "Who is told of bans, by name.",
        examples: [{ team: { type: "webhook", template: "slack", url_file: "/etc/stoplog/slack.url" } }],
      }),
    api: apiSchema.optional().meta({
      description: "The API over TCP.",
      examples: [
        { listen: "127.0.0.1:8443", tokens: { scorer: { secret_file: "/etc/stoplog/scorer.token" } } },
      ],
    }),
    origins: z
      .record(z.string().regex(NAME), originSchema)
      .optional()
      .meta({
        description: "Whose orders are taken, by name, and how far each is trusted.",
        examples: [{ scorer: { may: ["ban"], longest: "1d" } }],
      }),
    lists: z
      .record(z.string().regex(NAME), listSchema)
      .optional()
      .meta({
        description: "Lists of addresses whose packets are stopped without any jail, by name.",
        examples: [{ spamhaus: { url: "https://www.spamhaus.org/drop/drop_v4.json" } }],
      }),
    publish: z
      .record(z.string().regex(NAME), publishSchema)
      .optional()
      .meta({
        description: "Who is told of the bans, by name.",
        examples: [{ edges: { type: "zmq", bind: "tcp://127.0.0.1:22621" } }],
      }),
    ignoreip: ignoreList()
      .prefault([])
      .meta({
        description: "Who no jail ever bans: addresses, networks, and `self` for this machine.",
        examples: [["127.0.0.0/8", "::1", "192.0.2.0/24"]],
      }),
    defaults: jailSchema
      .partial()
      .optional()
      .meta({
        description: "Keys of jails that hold for all jails which do not say otherwise.",
        examples: [{ findtime: "1h", bantime: "1d" }],
      }),
    limits: limitsSchema
      .optional()
      .meta({ description: "Bounds that may be moved.", examples: [{ bans: 100_000 }] }),
    state: z
      .union([path("an absolute path"), z.literal(false)], {
        error: (issue) =>
          `must be the absolute path of a directory, or false to keep nothing, not ${shown(issue.input)}`,
      })
      .optional()
      .meta({
        description:
          "The directory in which bans, counters and read positions survive a restart; `false` for none. Without it, /var/lib/stoplog for root and none for others.",
        examples: ["/var/lib/stoplog", false],
      }),
    log: logSchema.optional().meta({ description: "Stoplog's own log.", examples: [{ level: "warn" }] }),
  })
  .meta({
    title: "Stoplog's configuration",
    description: "What Stoplog watches, and whom it bans for how long.",
  });

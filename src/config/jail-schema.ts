import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import {
  duration,
  flag,
  ignoreList,
  interfaceName,
  name,
  oneOrMore,
  port,
  protocol,
  shown,
  text,
  wholeNumber,
  word,
} from "./values.ts";

const patterns = () =>
  z
    .union([text("a regular expression"), z.array(text("a regular expression"))], {
      error: (issue) => `must be a regular expression or a list of them, not ${shown(issue.input)}`,
    })
    // A block of text holds one on each line, as fail2ban's files do.
    .transform((value) => (Array.isArray(value) ? value : linesOf(value)));

function linesOf(block: string): string[] {
  if (!block.includes("\n")) return [block];
  return block.split("\n").flatMap((line) => line.trim() || []);
}

export const filterSchema = z
  .strictObject({
    failregex: patterns()
      .optional()
      .meta({
        description: "What a failure looks like. `<HOST>` stands where the address is.",
        examples: [["^<SYSLOG>Failed password for .* from <HOST>"]],
      }),
    ignoreregex: patterns()
      .optional()
      .meta({
        description: "A line that one of these matches counts for nothing.",
        examples: [["from 192\\.0\\.2\\.9 "]],
      }),
    goodregex: patterns()
      .optional()
      .meta({
        description:
          "What a success looks like: the address is forgotten and freed (`on_good`, `trust_for`).",
        examples: [["^<SYSLOG>Accepted \\w+ for .* from <HOST>"]],
      }),
    prefregex: text("a regular expression")
      .optional()
      .meta({
        description:
          "Must match first; its `<F-CONTENT>…</F-CONTENT>`, if it has one, is all that the other patterns see.",
        examples: ["^<SYSLOG><F-CONTENT>.+</F-CONTENT>$"],
      }),
    datepattern: text("a date pattern")
      .optional()
      .meta({
        description: "How the lines' time is written, where it is not found by itself.",
        examples: ["%Y/%m/%d %H:%M:%S"],
      }),
    daemon: text("a regular expression")
      .optional()
      .meta({
        description: "The program's name, for `<SYSLOG>`.",
        examples: ["sshd(?:-session)?"],
      }),
    define: z
      .record(z.string(), text("a regular expression"), {
        error: (issue) => `must be a map of tags, not ${shown(issue.input)}`,
      })
      .optional()
      .meta({
        description: "Tags of the filter's own: `<name>` stands for the regular expression given here.",
        examples: [{ method: "(?:password|publickey)" }],
      }),
  })
  .meta({ description: "A filter: what to look for in lines." });

/** Which packets of an nflog source a jail counts. */
export const packetsSchema = z
  .strictObject({
    protocol: oneOrMore(protocol(), "a protocol or a list of them")
      .optional()
      .meta({ description: "What they carry: a name or IANA's number.", examples: ["tcp", ["udp", 132]] }),
    ports: oneOrMore(port(), "a port or a list of them")
      .optional()
      .meta({ description: "Ports that they go to.", examples: [[22, "8000-8080"], "ssh"] }),
    flags: oneOrMore(text("flags of TCP"), "flags of TCP such as syn,!ack")
      .optional()
      .meta({
        description: "Flags of TCP that must be set, and with `!` those that must not.",
        examples: ["syn,!ack", ["syn"]],
      }),
    prefix: text("a text")
      .optional()
      .meta({ description: "How the text of the rule that logged them begins.", examples: ["flood: "] }),
    interface: oneOrMore(interfaceName(), "the name of an interface or a list of them")
      .optional()
      .meta({ description: "Interfaces that they come in by.", examples: ["eth0"] }),
    state: word(["new"])
      .optional()
      .meta({
        description:
          "With `offload: kernel`: only the first packet of each connection, as conntrack sees it.",
        examples: ["new"],
      }),
  })
  .meta({
    description:
      "Which packets a jail counts: those of an nflog source (without any key all that it gives), or of those that come in (`offload: kernel`).",
  });

/** A step of a jail. */
export const stepSchema = z
  .strictObject({
    maxretry: wholeNumber(1, 65_535)
      .optional()
      .meta({
        description: "From so many failures within `findtime` on. Without it, the jail's.",
        examples: [1],
      }),
    times: wholeNumber(1, 1000)
      .default(1)
      .meta({
        description:
          "From this ban of the same address on, those before counted as `increment.memory` says. `3`: the third time.",
        examples: [3],
      }),
    target: name("the name of a target")
      .optional()
      .meta({ description: "Where the ban goes. Without it, the jail's.", examples: ["slow"] }),
    bantime: duration({ forever: true, years: 100 })
      .optional()
      .meta({
        description: "How long it lasts. Without it, as long as the jail says, or else the target.",
        examples: ["1w"],
      }),
  })
  .meta({ description: "What so many failures lead to, or a ban that is not the first." });

/** How bans of the same address grow. Names and formula are fail2ban's `bantime.increment`. */
export const incrementSchema = z
  .strictObject({
    factor: z
      .number({ error: (issue) => `must be a number, not ${shown(issue.input)}` })
      .min(0.001, { error: "must be 0.001 or more" })
      .max(1_000_000, { error: "must be 1000000 or less" })
      .default(1)
      .meta({ description: "Every ban but the first is multiplied by it.", examples: [1.5] }),
    multipliers: z
      .array(wholeNumber(1, 1_000_000))
      .min(1, { error: "must name a number" })
      .max(100, { error: "may name 100 numbers" })
      .optional()
      .meta({
        description:
          "The first, second … ban is so many times the bantime; the last one stays. Without it, 1 2 4 8 … (up to 2^20).",
        examples: [[1, 5, 30, 60, 300]],
      }),
    maxtime: duration({ forever: false, years: 100 })
      .optional()
      .meta({ description: "No ban gets longer.", examples: ["5w"] }),
    rndtime: duration({ forever: false, years: 1 })
      .optional()
      .meta({
        description:
          "Up to so much is added by chance to every ban but the first, so that nobody can tell its end.",
        examples: ["8m"],
      }),
    memory: duration({ forever: false, years: 100 })
      .prefault("30d")
      .meta({
        description: "How long after its end a ban counts as one before.",
        examples: ["90d"],
      }),
    overalljails: flag().default(false).meta({
      description: "`true` when bans by all jails that say so count together.",
    }),
  })
  .meta({ description: "How bans of the same address grow." });

export const jailSchema = z
  .strictObject({
    enabled: flag().default(true).meta({ description: "`false` switches the jail off." }),
    sources: oneOrMore(name("the name of a source"), "the name of a source or a list of them")
      .optional()
      .meta({
        description:
          "Where its lines or packets come from. Must be given, here or in `defaults`, unless the kernel counts (`offload`).",
        examples: [["auth", "journal"], "auth"],
      }),
    filter: z
      .union([text("a filter"), filterSchema], {
        error: (issue) =>
          `must be a filter's name, the path of its file or the filter itself, not ${shown(issue.input)}`,
      })
      .optional()
      .meta({
        description:
          "What to look for: a name in the library or in /etc/stoplog/filters, a file (a path from this file's folder on), or the filter itself, written in place. Without it, the filter with the jail's own name.",
        examples: ["sshd", "./my-filter.yaml", { failregex: ["^<SYSLOG>denied <HOST>$"] }],
      }),
    packets: packetsSchema.optional().meta({
      description:
        "For sources of type nflog and with `offload: kernel`, instead of a filter: which packets count (see Packets).",
      examples: [{ protocol: "tcp", ports: [22], flags: "syn,!ack" }],
    }),
    offload: word(["kernel"])
      .optional()
      .meta({
        description: "The kernel counts `packets` and bans by itself, without any source (see Packets).",
        examples: ["kernel"],
      }),
    connlimit: wholeNumber(1, 1_000_000)
      .optional()
      .meta({
        description:
          "With `offload: kernel`, instead of `maxretry`: who has more connections than this at the same time is banned.",
        examples: [50],
      }),
    failregex: filterSchema.shape.failregex.meta({
      description: "Instead of the filter's own `failregex`.",
      examples: [["^<SYSLOG>denied <HOST>$"]],
    }),
    ignoreregex: filterSchema.shape.ignoreregex.meta({
      description: "Instead of the filter's own `ignoreregex`.",
      examples: [["from 192\\.0\\.2\\.9 "]],
    }),
    goodregex: filterSchema.shape.goodregex.meta({
      description: "Instead of the filter's own `goodregex`.",
      examples: [["^<SYSLOG>granted <HOST>$"]],
    }),
    maxretry: wholeNumber(1, 65_535)
      .default(5)
      .meta({
        description: "So many failures within `findtime` lead to a ban.",
        examples: [3],
      }),
    findtime: duration({ forever: false, years: 1 })
      .prefault("10m")
      .meta({ description: "How long a failure counts.", examples: ["1h", 600] }),
    bantime: duration({ forever: true, years: 100 })
      .prefault("1h")
      .meta({ description: "How long a ban lasts; `-1` for ever.", examples: ["1d12h", -1] }),
    target: name("the name of a target")
      .default("default")
      .meta({
        description: "Where its bans go. Without it, those of a jail that counts packets go to `throttle`.",
        examples: ["slow"],
      }),
    steps: z
      .array(stepSchema, { error: (issue) => `must be a list of steps, not ${shown(issue.input)}` })
      .min(1, { error: "must name a step" })
      .max(20, { error: "may name 20 steps" })
      .optional()
      .meta({
        description:
          "Several bans one after the other instead of one: at fewer failures a milder one, and another for those who were banned before.",
        examples: [
          [
            { maxretry: 1, target: "slow", bantime: "3m" },
            { maxretry: 5, bantime: "1h" },
            { maxretry: 5, times: 3, bantime: "1w" },
          ],
        ],
      }),
    increment: z
      .union([flag(), incrementSchema], {
        error: (issue) => `must be true, false or a map of keys and values, not ${shown(issue.input)}`,
      })
      .default(false)
      .meta({
        description:
          "Whether bans of an address that was banned before get longer, and how (see Growing bans).",
        examples: [true, { multipliers: [1, 5, 30], maxtime: "5w" }],
      }),
    count_with: name("a name")
      .optional()
      .meta({
        description:
          "Jails with the same word here count an address's failures together: each counts those of all within its own `findtime`, and a ban does not end the count.",
        examples: ["all"],
      }),
    ignoreip: ignoreList()
      .prefault([])
      .meta({
        description: "Who this jail never bans, beside the `ignoreip` for all.",
        examples: [["192.0.2.0/24", "2001:db8::/32", "self"]],
      }),
    ignoreself: flag().default(true).meta({
      description: "Never ban this machine's own addresses and its gateways.",
    }),
    ipv4_prefix: wholeNumber(8, 32)
      .default(32)
      .meta({
        description: "IPv4 addresses with so many equal first bits count, and are banned, as one.",
        examples: [24],
      }),
    ipv6_prefix: wholeNumber(16, 128)
      .default(128)
      .meta({
        description: "The same for IPv6. One customer mostly has a whole /64.",
        examples: [64],
      }),
    usedns: z
      .union([z.boolean(), z.enum(["yes", "warn", "no", "raw"])], {
        error: (issue) => `must be true, false, yes, warn, no or raw, not ${shown(issue.input)}`,
      })
      .default(false)
      .meta({
        description:
          "Look up a name that stands in an address's place. Slow, and who owns the name chooses what it says. `warn` is `yes` and `raw` is `no`.",
        examples: [true],
      }),
    on_good: word(["forget", "unban"])
      .default("unban")
      .meta({
        description:
          "What a line that a `goodregex` matches does: `forget` the address's failures, or `unban` it as well, at all targets. What you banned by hand stays.",
        examples: ["forget"],
      }),
    trust_for: duration({ forever: false, years: 10 })
      .optional()
      .meta({
        description:
          "For how long after such a line no jail bans the address. Whoever has one password of yours has this time to try others.",
        examples: ["1d"],
      }),
    addresses: wholeNumber(1, 10_000_000)
      .default(LIMITS.addresses.value)
      .meta({
        description: `Counted at the same time; at more, ${LIMITS.addresses.full}.`,
        examples: [100_000],
      }),
  })
  .meta({ description: "maxretry failures of an address within findtime → a ban for bantime at a target." });

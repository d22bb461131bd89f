import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import { listed, missing } from "../schema/missing.ts";
import { defaultsOf, type Section } from "../schema/section.ts";
import * as v from "../schema/values.ts";
import type { Entry, Tree } from "../schema/yaml-tree.ts";
import type { Chapter } from "./chapter.ts";
import type { JailConfig } from "./config.ts";
import { ignoreCommandOf, ignoredFrom, ignoredPrefixes } from "./ignoreip.ts";
import { filterKeys, filterOf } from "./jail-filter.ts";
import type { JailDefaults, JailParts, Known } from "./jail-parts.ts";
import { checkOffload, offloadKeys, offloadOf } from "./offload.ts";
import { offloadedSelection, packetKeys, packetsSchema, selectionOf } from "./packets.ts";
import { givesOf } from "./sources.ts";
import { banKeys, growthOf, incrementSchema, stepSchema, stepsOf } from "./steps.ts";

// The sections `jails` and `defaults`.

export const jailSchema = z
  .strictObject({
    enabled: v.flag().default(true).meta({ description: "`false` disables the jail." }),
    sources: v
      .oneOrMore(v.name("the name of a source"), "the name of a source or a list of them")
      .optional()
      .meta({
        description:
          "Where its lines or packets come from. Required, here or in `defaults`, unless the kernel counts (`offload`).",
        examples: [["auth", "journal"], "auth"],
      }),
    ...filterKeys,
    ...packetKeys,
    ...offloadKeys,
    ...banKeys,
    counting: v
      .word(["exact", "scaled"])
      .default("exact")
      .meta({
        description:
          "How failures are counted: `exact`, those within `findtime`; or `scaled`, as fail2ban: when the first one counted is older than `findtime`, their number shrinks to `findtime` at the rate so far, rounded. The import of fail2ban writes `scaled`.",
        examples: ["scaled"],
      }),
    count_with: v
      .name("a name")
      .optional()
      .meta({
        description:
          "Jails with the same name here share their count: each counts the failures of all of them within its own `findtime`, and a ban does not reset the count.",
        examples: ["all"],
      }),
    ignoreip: v
      .ignoreList()
      .prefault([])
      .meta({
        description:
          "Addresses that this jail never bans, in addition to the top-level `ignoreip`, which takes the same entries.",
        examples: [
          ["192.0.2.0/24", "2001:db8::/32", "self", "host.example.org", "file:/etc/stoplog/allowed"],
        ],
      }),
    ignorecommand: v
      .command()
      .optional()
      .meta({
        description:
          "A program and its arguments, without a shell; `{address}`, `{family}` (inet4, inet6) and `{jail}` are filled in. It runs at the first failure of an address. Exit status 0: the jail never bans the address, forgets its failures, and unbans it if it banned it meanwhile. 1: the address counts as others do; so it does after any other end, or after 10 s. Counting and bans do not wait.",
        examples: [["/usr/local/bin/is-a-friend", "{address}"]],
      }),
    ignorecache: v
      .duration({ forever: false, years: 1 })
      .prefault("5m")
      .meta({ description: "How long an answer of `ignorecommand` is used.", examples: ["1h"] }),
    ignoreself: v.flag().default(true).meta({
      description: "Never ban this machine's own addresses and its gateways.",
    }),
    ipv4_prefix: v
      .wholeNumber(8, 32)
      .default(32)
      .meta({
        description: "IPv4 addresses that share this many leading bits are counted and banned as one.",
        examples: [24],
      }),
    ipv6_prefix: v
      .wholeNumber(16, 128)
      .default(64)
      .meta({
        description:
          "The same for IPv6. One customer usually has a whole /64. Without this key, a target that holds single addresses only, or may, gets the address whose failure was the last of `maxretry`.",
        examples: [56, 128],
      }),
    usedns: z
      .union([z.boolean(), z.enum(["yes", "warn", "no", "raw"])], {
        error: (issue) => `must be true, false, yes, warn, no or raw, not ${v.shown(issue.input)}`,
      })
      .default(false)
      .meta({
        description:
          "Resolve a host name in the place of an address. Slow, and the owner of the name chooses the result. `warn` is `yes` and `raw` is `no`.",
        examples: [true],
      }),
    on_good: v
      .word(["forget", "unban"])
      .default("unban")
      .meta({
        description:
          "What a line that `goodregex` matches does: `forget` the address's failures, or also `unban` the address at every target. Manual bans stay.",
        examples: ["forget"],
      }),
    forgive: v
      .word(["once", "always"])
      .default("once")
      .meta({
        description:
          "How often a line that `goodregex` matches forgives an address: `once` in `findtime`, so that an attacker with one account does not get any number of tries at others, or `always`.",
        examples: ["always"],
      }),
    trust_for: v
      .duration({ forever: false, years: 10 })
      .optional()
      .meta({
        description:
          "How long no jail bans the address after such a line. An attacker with one valid password can try others during this time.",
        examples: ["1d"],
      }),
    addresses: v
      .wholeNumber(1, 10_000_000)
      .default(LIMITS.addresses.value)
      .meta({
        description: `Addresses that are counted at the same time; beyond that, ${LIMITS.addresses.full}.`,
        examples: [100_000],
      }),
  })
  .meta({ description: "A jail bans an address for `bantime` after `maxretry` failures within `findtime`." });

export const jailsKey = z
  .record(z.string().regex(v.NAME), jailSchema)
  .optional()
  .meta({
    description: "Which failures lead to bans, by name.",
    examples: [{ sshd: { sources: ["auth"], maxretry: 3 } }],
  });

export const defaultsKey = jailSchema
  .partial()
  .optional()
  .meta({
    description: "Keys for all jails that do not set them.",
    examples: [{ findtime: "1h", bantime: "1d" }],
  });

export const jailsChapter: Chapter = {
  title: "Jails",
  text: "A jail bans an address for `bantime` after `maxretry` failures within `findtime`. The section `defaults` takes the same keys, for all jails that do not set them.",
  parts: [
    { title: null, text: "", schema: jailSchema },
    {
      title: "Packets",
      text: "The keys of `packets`: which packets a jail counts. They are packets of an nflog source (without any key, all of them), or incoming packets (`offload: kernel`).",
      schema: packetsSchema,
    },
    {
      title: "Steps",
      text: "The keys of each step in `steps`: the ban that a number of failures leads to.",
      schema: stepSchema,
    },
    {
      title: "Growing bans",
      text: "The keys of `increment`: how bans of the same address grow. `true` takes their defaults.",
      schema: incrementSchema,
    },
  ],
};

/** Jails that are enabled, and the sources and targets that any jail names. */
export interface JailsReading {
  readonly jails: readonly JailConfig[];
  readonly sources: ReadonlySet<string>;
  readonly targets: ReadonlySet<string>;
}

export function readDefaults(top: Section, known: Known): JailDefaults {
  const section = top.apart("defaults", "defaults");
  const written = section.written(jailSchema);
  checkSources(section, known);
  checkTarget(section, written.target, known);
  if (written.offload !== undefined) section.refuseKeys(["offload"], "must be set in each jail");
  if (written.connlimit !== undefined) section.refuseKeys(["connlimit"], "must be set in each jail");
  return { section, written };
}

export function readJails(top: Section, defaults: JailDefaults, known: Known): JailsReading {
  const sources = new Set<string>();
  const targets = new Set<string>();
  const jails: JailConfig[] = [];
  top.named("jails", "jail", (name, section) => {
    const own = section.written(jailSchema);
    if (!v.NAME.test(name) || (section.failed && section.tree?.kind !== "map")) return;
    const given = { ...defaults.written, ...own };
    const values = { ...defaultsOf(jailSchema), ...given };
    const jail = jailOf({ name, section, own, defaults, given, values, known });
    for (const source of jail.sources) sources.add(source);
    for (const { target } of jail.steps) targets.add(target);
    if (values.enabled) jails.push(jail);
  });
  return { jails, sources, targets };
}

/** What a jail is without any key but its name, source and filter. */
export function plainJail(
  name: string,
  sources: readonly string[],
  filter: NonNullable<JailConfig["filter"]>,
): JailConfig {
  const values = defaultsOf(jailSchema);
  const { maxretry, target, bantime } = values;
  return {
    ...commonsOf(values),
    name,
    sources,
    filter,
    maxretry,
    steps: [{ maxretry, times: 1, target, bantime }],
    ...growthOf(values.increment),
    ignoreip: [],
    ignoreSelf: values.ignoreself,
    countWith: null,
  };
}

function jailOf(parts: JailParts): JailConfig {
  const { name, section, given, values, known } = parts;
  checkSources(section, known);
  checkTarget(section, parts.own.target, known);
  const offload = offloadOf(parts);
  if (offload === null && !section.has("sources") && !parts.defaults.section.has("sources"))
    section.refuse(`sources is missing${listed("there are", [...known.sources.keys()])}`);
  const packets = offload === null ? selectionOf(parts) : offloadedSelection(parts);
  const steps = stepsOf(parts, packets === null ? "lines" : "packets");
  if (values.usedns === "warn") known.notes.push(`${section.what}: usedns: warn looks up names, as yes does`);
  checkCounting(section, values);
  if (offload !== null) checkOffload(name, steps.steps, section, known);
  return {
    ...commonsOf(values),
    name,
    sources: offload === null ? [...new Set(given.sources ?? [])] : [],
    filter: packets === null ? filterOf(parts) : null,
    ...(packets === null ? {} : { packets }),
    ...(offload === null ? {} : { offload }),
    ...steps,
    ...growthOf(offload === null && values.increment),
    ignoreip: ignoredPrefixes(values.ignoreip),
    ...ignoredFrom(values.ignoreip),
    ...ignoreCommandOf(values.ignorecommand, values.ignorecache),
    ignoreSelf: values.ignoreself || values.ignoreip.includes("self") || known.ignoreSelf,
    countWith: offload === null ? (values.count_with ?? null) : null,
  };
}

function commonsOf(values: JailParts["values"]) {
  return {
    findtime: values.findtime,
    ...(values.counting === "scaled" ? { counting: values.counting } : {}),
    ipv4Prefix: values.ipv4_prefix,
    ipv6Prefix: values.ipv6_prefix,
    usedns: values.usedns === true || values.usedns === "yes" || values.usedns === "warn",
    onGood: values.on_good,
    ...(values.forgive === "always" ? { forgive: values.forgive } : {}),
    trustFor: values.trust_for ?? 0,
    addresses: values.addresses,
  };
}

/** Checks each source in the tree: one wrong item makes the list as a whole unusable, and hides no other. */
function checkSources(section: Section, known: Known): void {
  for (const { at, value } of scalarsOf(section.entry("sources"))) {
    if (typeof value !== "string" || !v.NAME.test(value)) continue;
    if (givesOf(known.sources.get(value)) === "orders")
      section.refuseAt(`source ${value} gives orders; jails read lines or packets`, at);
    else if (!known.sources.has(value))
      section.refuseAt(missing("source", value, [...known.sources.keys()]), at);
  }
}

function checkTarget(section: Section, target: string | undefined, { targets }: Known): void {
  if (target !== undefined && !targets.has(target))
    section.refuseValue(missing("target", target, [...targets.keys()]), "target");
}

function checkCounting(section: Section, { counting, count_with }: JailParts["values"]): void {
  if (counting === "scaled" && count_with !== undefined && section.has("count_with"))
    section.refuse("count_with shares an exact count, and counting is scaled", "count_with");
}

function scalarsOf(entry: Entry | null): Extract<Tree, { kind: "scalar" }>[] {
  if (entry === null) return [];
  const items = entry.value.kind === "list" ? entry.value.items : [entry.value];
  return items.filter((item) => item.kind === "scalar");
}

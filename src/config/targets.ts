import { z } from "zod";
import { SECOND } from "../core/time.ts";
import type { TargetSpec } from "../enforce/enforcer.ts";
import type { EnforcerKind, WrittenTarget } from "../enforce/kind.ts";
import { ENFORCER_KINDS, kindOf } from "../enforce/kinds.ts";
import { nftables, packetTarget } from "../enforce/nftables/kind.ts";
import { SERVICE_PORTS } from "../schema/service-ports.ts";
import { Section } from "../schema/section.ts";
import * as v from "../schema/values.ts";
import type { Chapter } from "./chapter.ts";
import { chooseKind } from "./choose-kind.ts";
import type { TargetConfig } from "./config.ts";

// The section `targets`. Each kind of enforcer has its own keys (src/enforce/kinds.ts); the keys that all targets share are here.

/** The kind of a target that names none. */
const DEFAULT_KIND: EnforcerKind = nftables;

const commonKeys = {
  bantime: v
    .duration({ forever: true, years: 100 })
    .optional()
    .meta({
      description: "How long bans last where neither the jail nor its step says so; `-1` for permanent bans.",
      examples: ["10m"],
    }),
  reset_connections: v.flag().default(false).meta({
    description:
      "Closes the connections that banned addresses opened: their entries in the kernel's table, and this machine's own sockets. A further line from a banned address closes new ones. What this machine opened to an address stays.",
  }),
};

/** Kinds that a target can name. */
const KINDS = ENFORCER_KINDS.filter(({ options }) => options !== null);

/** The schema of a target, by its `enforcer`. */
export const targetSchemas: Readonly<Record<string, z.ZodObject>> = Object.fromEntries(
  KINDS.map((kind) => [kind.name, schemaOf(kind)]),
);

const enforcerSchema = z.union(Object.values(targetSchemas));

export const targetsKey = z
  .record(z.string().regex(v.NAME), z.union([enforcerSchema, z.array(enforcerSchema).min(1)]))
  .optional()
  .meta({
    description:
      "Where and how bans are enforced, by name; a list of enforcers bans with all of them at once. Two targets exist without being written: `default` (nftables, drop, all traffic) and `throttle` (nftables, one packet a second from each address).",
    examples: [{ slow: { verdict: "throttle", rate: "10/minute" } }],
  });

export const targetsChapter: Chapter = {
  title: "Targets",
  text: "Where and how bans are enforced. Each target has a name of your choice and an `enforcer`, or is a list of such maps, whose enforcers all ban at once. The target `default` exists without being written: nftables, drop, all traffic.",
  parts: Object.entries(targetSchemas).map(([enforcer, schema]) => ({
    title: `enforcer: ${enforcer}`,
    schema,
  })),
  end: `Names for ports: ${Object.keys(SERVICE_PORTS)
    .toSorted()
    .map((name) => `\`${name}\``)
    .join(", ")}.`,
};

/** The target that exists without being written. */
export const DEFAULT_TARGET: TargetConfig = {
  name: "default",
  bantime: null,
  resetConnections: false,
  enforcers: [packetTarget("default", { kind: "drop" })],
};

/** The default target of jails that count packets: a sender may be forged, so a ban lets a little through. */
export const THROTTLE_TARGET: TargetConfig = {
  name: "throttle",
  bantime: null,
  resetConnections: false,
  enforcers: [packetTarget("throttle", { kind: "throttle", packets: 1, per: SECOND, burst: 5 })],
};

export const BUILT_IN_TARGETS: readonly TargetConfig[] = [DEFAULT_TARGET, THROTTLE_TARGET];

/** The targets that are written. Errors are reported. */
export function readTargets(top: Section): ReadonlyMap<string, TargetConfig> {
  const targets = new Map<string, TargetConfig>();
  top.named("targets", "target", (name, section) => targets.set(name, readTarget(name, section)));
  const rivals = rivalsAmong(targets.values());
  if (rivals !== null) {
    const fact = `targets: enforcers ${rivals.names.join(" and ")} both write ${rivals.owns}: use one of them for all targets`;
    top.refuseValue(fact, "targets");
  }
  return targets;
}

/**
 * The targets that exist without being written, unless these replace them: the default one always, the throttle when it is mentioned.
 * Where the written targets use an enforcer that owns the same table, so do these.
 */
export function builtInTargets(
  written: ReadonlyMap<string, TargetConfig>,
  mentioned: ReadonlySet<string>,
): readonly TargetConfig[] {
  const used = enforcersOf(written.values());
  const rivalOf = (spec: TargetSpec): string =>
    used.find((kind) => kind.owns !== undefined && kind.owns === kindOf(spec).owns)?.name ?? spec.enforcer;
  return BUILT_IN_TARGETS.filter(
    ({ name }) => !written.has(name) && (name !== THROTTLE_TARGET.name || mentioned.has(name)),
  ).map((target) => ({
    ...target,
    enforcers: target.enforcers.map((spec) => ({ ...spec, enforcer: rivalOf(spec) })),
  }));
}

/** `target slow: nftables, throttle 10 packets per 1m, ports 22, 80-90 (tcp)`. */
export function describeTarget(target: TargetSpec): string {
  const kind = kindOf(target);
  return `target ${target.name}: ${kind.spelled ?? kind.name}, ${kind.describe(target)}`;
}

function schemaOf({ name, summary, description, options }: EnforcerKind): z.ZodObject {
  const word = name === DEFAULT_KIND.name ? v.word([name]).default(name) : z.literal(name);
  return z
    .strictObject({
      enforcer: word.meta({ description: summary, examples: [name] }),
      ...options?.keys(v),
      ...commonKeys,
    })
    .meta({ description });
}

/** One enforcer, or a list of enforcers that all hold the target's bans. */
function readTarget(name: string, section: Section): TargetConfig {
  const { tree, what, report } = section;
  const items = tree?.kind === "list" ? tree.items : null;
  if (items?.length === 0) section.refuseAt("the list of its enforcers is empty", tree?.at);
  const sections = items?.map((item) => new Section({ what, report, tree: item, at: item.at })) ?? [section];
  const read = sections.map((one) => readEnforcer(name, one));
  const kinds = read.flatMap(({ spec }) => (spec === null ? [] : kindOf(spec)));
  const twice = kinds.find((kind, i) => kind.once && kinds.indexOf(kind) !== i);
  if (twice !== undefined) section.refuseAt(`enforcer ${twice.name} can be in the list only once`, tree?.at);
  return {
    name,
    bantime: read.find(({ bantime }) => bantime !== null)?.bantime ?? null,
    resetConnections: read.some(({ resetConnections }) => resetConnections),
    enforcers: read.flatMap(({ spec }) => spec ?? []),
  };
}

interface ReadEnforcer extends Pick<TargetConfig, "bantime" | "resetConnections"> {
  /** Null when a required key is missing or wrong, which was reported. */
  readonly spec: TargetSpec | null;
}

function readEnforcer(name: string, section: Section): ReadEnforcer {
  const kind = section.has("enforcer") ? chooseKind(section, "enforcer", KINDS) : DEFAULT_KIND;
  const schema = targetSchemas[kind?.name ?? ""];
  if (kind === null || schema === undefined) return { spec: null, bantime: null, resetConnections: false };
  const read = section.read(schema);
  const written: WrittenTarget = {
    name,
    has: (key) => section.has(key),
    isGood: (key) => read.written[key] !== undefined,
    refuse: (key, fact) => section.refuseKeys([key], fact),
    report: (fact) => section.refuse(fact),
  };
  const { bantime = null, reset_connections: resetConnections = false } = read.written as CommonValues;
  const spec = read.complete === null ? null : (kind.options?.read(read.complete, written) ?? null);
  return { spec, bantime, resetConnections };
}

interface CommonValues {
  readonly bantime?: number;
  readonly reset_connections?: boolean;
}

/** Two kinds among these targets that own the same thing, and what that is; null when there are none. */
function rivalsAmong(
  targets: Iterable<TargetConfig>,
): { readonly names: readonly [string, string]; readonly owns: string } | null {
  const used = enforcersOf(targets);
  for (const [i, { name, owns }] of used.entries()) {
    const rival = used.slice(0, i).find((other) => owns !== undefined && other.owns === owns);
    if (rival !== undefined && owns !== undefined) return { names: [rival.name, name], owns };
  }
  return null;
}

function enforcersOf(targets: Iterable<TargetConfig>): readonly EnforcerKind[] {
  const names = new Set([...targets].flatMap(({ enforcers }) => enforcers.map(({ enforcer }) => enforcer)));
  return ENFORCER_KINDS.filter(({ name }) => names.has(name));
}

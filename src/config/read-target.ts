import { SECOND } from "../core/time.ts";
import type { TargetSpec } from "../enforce/enforcer.ts";
import type { EnforcerKind, WrittenTarget } from "../enforce/kind.ts";
import { ENFORCER_KINDS, kindOf } from "../enforce/kinds.ts";
import { packetTarget } from "../enforce/nftables/kind.ts";
import type { TargetConfig } from "./config.ts";
import { defaultsOf, didYouMean, entryOf, readObject, requireKeys, type Where } from "./read-object.ts";
import { DEFAULT_KIND, targetSchemas } from "./target-schema.ts";
import { shown } from "./values.ts";
import { plainOf, type Tree } from "./yaml-tree.ts";

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

/**
 * Reads a target: one enforcer, or a list of enforcers that all hold its bans. Errors are reported.
 */
export function readTarget(name: string, tree: Tree, where: Where): TargetConfig {
  const ways = tree.kind === "list" ? tree.items : [tree];
  if (ways.length === 0) where.report.error(where.what, "the list of its enforcers is empty", tree.at);
  const read = ways.map((way) => readWay(name, way, tree.kind === "list" ? { ...where, at: way.at } : where));
  const kinds = read.flatMap(({ spec }) => (spec === null ? [] : kindOf(spec)));
  const twice = kinds.find((kind, i) => kind.once && kinds.indexOf(kind) !== i);
  if (twice !== undefined)
    where.report.error(where.what, `enforcer ${twice.name} can be in the list only once`, tree.at);
  return {
    name,
    bantime: read.find(({ bantime }) => bantime !== null)?.bantime ?? null,
    resetConnections: read.some(({ resetConnections }) => resetConnections),
    enforcers: read.flatMap(({ spec }) => spec ?? []),
  };
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

export const BUILT_IN_TARGETS: readonly TargetConfig[] = [DEFAULT_TARGET, THROTTLE_TARGET];

/** Two kinds among these targets that own the same thing, and what that is; null when there are none. */
export function rivalsAmong(
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

interface Way extends Pick<TargetConfig, "bantime" | "resetConnections"> {
  /** Null when a key that must be there is missing or wrong, which was reported. */
  readonly spec: TargetSpec | null;
}

const NOTHING: Way = { spec: null, bantime: null, resetConnections: false };

function readWay(name: string, tree: Tree, where: Where): Way {
  const kind = writtenKind(tree, where);
  const schema = kind === null ? undefined : targetSchemas[kind.name];
  if (kind === null || schema === undefined) return NOTHING;
  requireKeys(schema, tree, where);
  const good = readObject(schema, tree, where);
  const values = defaultsOf(schema, good);
  const written: WrittenTarget = {
    name,
    has: (key) => entryOf(tree, key) !== null,
    isGood: (key) => good[key] !== undefined,
    refuse(key, fact) {
      const entry = entryOf(tree, key);
      if (entry !== null) where.report.error(where.what, `${key} ${fact}`, entry.keyAt);
    },
    report: (fact) => where.report.error(where.what, fact, where.at),
  };
  const { bantime, reset_connections: resetConnections } = good as CommonValues;
  return {
    spec: values === null ? null : (kind.options?.read(values, written) ?? null),
    bantime: bantime ?? null,
    resetConnections: resetConnections ?? false,
  };
}

interface CommonValues {
  readonly bantime?: number;
  readonly reset_connections?: boolean;
}

function writtenKind(tree: Tree, { report, what }: Where): EnforcerKind | null {
  const entry = entryOf(tree, "enforcer");
  if (entry === null) return DEFAULT_KIND;
  const written = plainOf(entry.value);
  const known = ENFORCER_KINDS.find(({ name, options }) => name === written && options !== null);
  if (known !== undefined) return known;
  const names = Object.keys(targetSchemas);
  const hint = didYouMean(String(written), names);
  const fact = `enforcer must be one of ${names.join(", ")}, not ${shown(written)}${hint}`;
  report.error(what, fact, entry.value.at);
  return null;
}

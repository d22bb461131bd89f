import type { PacketMatch, TargetSpec, Verdict } from "../enforce/enforcer.ts";
import { SECOND } from "../core/time.ts";
import type { TargetConfig } from "./config.ts";
import {
  defaultOf,
  didYouMean,
  entryOf,
  readObject,
  requireKeys,
  type Where,
  type Written,
} from "./read-object.ts";
import { type TargetKind, targetSchemas } from "./target-schema.ts";
import { shown } from "./values.ts";
import { plainOf, type Tree } from "./yaml-tree.ts";

/** The target that exists without being written. */
export const DEFAULT_TARGET: TargetConfig = {
  name: "default",
  bantime: null,
  resetConnections: false,
  enforcers: [{ name: "default", enforcer: "nftables", verdict: { kind: "drop" }, ports: [], protocols: [] }],
};

/** Where the bans of jails that count packets go unless they say otherwise: senders may be forged, and so is whoever is banned. */
export const THROTTLE_TARGET: TargetConfig = {
  name: "throttle",
  bantime: null,
  resetConnections: false,
  enforcers: [
    {
      name: "throttle",
      enforcer: "nftables",
      verdict: { kind: "throttle", packets: 1, per: SECOND, burst: 5 },
      ports: [],
      protocols: [],
    },
  ],
};

export const BUILT_IN_TARGETS: readonly TargetConfig[] = [DEFAULT_TARGET, THROTTLE_TARGET];

/** Reads a target: one way to enforce, or a list of ways that are all gone at once. What is wrong is reported. */
export function readTarget(name: string, tree: Tree, where: Where): TargetConfig {
  const ways = tree.kind === "list" ? tree.items : [tree];
  if (ways.length === 0) where.report.error(where.what, "the list of its enforcers is empty", tree.at);
  const read = ways.map((way) => readWay(name, way, tree.kind === "list" ? { ...where, at: way.at } : where));
  const kinds = read.flatMap(({ spec }) => spec?.enforcer ?? []);
  const twice = kinds.find((kind, i) => ONCE.has(kind) && kinds.indexOf(kind) !== i);
  if (twice !== undefined)
    where.report.error(where.what, `enforcer ${twice} can stand in the list once only`, tree.at);
  return {
    name,
    bantime: read.find(({ bantime }) => bantime !== null)?.bantime ?? null,
    resetConnections: read.some(({ resetConnections }) => resetConnections),
    enforcers: read.flatMap(({ spec }) => spec ?? []),
  };
}

/** Enforcers that know bans by the target's name alone, so that of two ways one would be forgotten. */
const ONCE: ReadonlySet<TargetSpec["enforcer"]> = new Set([
  "command",
  "dry-run",
  "hosts.deny",
  "iptables",
  "nft",
  "nftables",
  "recent",
  "route",
]);

interface Way extends Pick<TargetConfig, "bantime" | "resetConnections"> {
  readonly spec: TargetSpec | null;
}

function readWay(name: string, tree: Tree, where: Where): Way {
  const kind = kindOf(tree, where);
  if (kind === null) return { spec: null, bantime: null, resetConnections: false };
  requireKeys(targetSchemas[kind], tree, where);
  return readers[kind]({ name, tree, where });
}

const KINDS = Object.keys(targetSchemas) as readonly TargetKind[];

function kindOf(tree: Tree, { report, what }: Where): TargetKind | null {
  const entry = entryOf(tree, "enforcer");
  if (entry === null) return "nftables";
  const written = plainOf(entry.value);
  const known = KINDS.find((kind) => kind === written);
  if (known !== undefined) return known;
  const hint = didYouMean(String(written), KINDS);
  report.error(
    what,
    `enforcer must be one of ${KINDS.join(", ")}, not ${shown(written)}${hint}`,
    entry.value.at,
  );
  return null;
}

interface Reading {
  readonly name: string;
  readonly tree: Tree;
  readonly where: Where;
}

/** A spec is null when something without which it is nothing is missing, which was reported then. */
const readers: Readonly<Record<TargetKind, (reading: Reading) => Way>> = {
  nftables: ({ name, tree, where }) => {
    const written = readObject(targetSchemas.nftables, tree, where);
    const { sets } = written;
    if (sets === undefined)
      return way(written, { name, enforcer: "nftables", ...packetMatch(tree, written, where) });
    for (const key of ["verdict", "rate", "burst", "ports", "protocols"]) refuseWithSets(key, tree, where);
    return way(written, { name, enforcer: "nft-set", sets });
  },
  nft: ({ name, tree, where }) => {
    const written = readObject(targetSchemas.nft, tree, where);
    return way(written, { name, enforcer: "nft", ...packetMatch(tree, written, where) });
  },
  "dry-run": ({ name, tree, where }) => {
    const written = readObject(targetSchemas["dry-run"], tree, where);
    return way(written, { name, enforcer: "dry-run", ...packetMatch(tree, written, where) });
  },
  ipset: ({ name, tree, where }) => {
    const written = readObject(targetSchemas.ipset, tree, where);
    const { sets = [], chain = "INPUT", rule = true } = written;
    if (sets.length > 0)
      for (const key of ["verdict", "ports", "protocols", "chain", "rule"]) refuseWithSets(key, tree, where);
    const match = packetMatch(tree, written, where);
    return way(written, { name, enforcer: "ipset", ...match, sets, chain, rule });
  },
  iptables: ({ name, tree, where }) => {
    const written = readObject(targetSchemas.iptables, tree, where);
    const { chain = "INPUT", interface: incoming = null } = written;
    const match = packetMatch(tree, written, where);
    return way(written, { name, enforcer: "iptables", ...match, chain, interface: incoming });
  },
  recent: ({ name, tree, where }) => {
    const written = readObject(targetSchemas.recent, tree, where);
    const { list } = written;
    return way(written, list === undefined ? null : { name, enforcer: "recent", list });
  },
  "hosts.deny": ({ name, tree, where }) => {
    const written = readObject(targetSchemas["hosts.deny"], tree, where);
    const { path = "/etc/hosts.deny", services = "ALL" } = written;
    return way(written, { name, enforcer: "hosts.deny", path, services });
  },
  route: ({ name, tree, where }) => {
    const written = readObject(targetSchemas.route, tree, where);
    return way(written, { name, enforcer: "route", type: written.type ?? "blackhole" });
  },
  command: ({ name, tree, where }) => {
    const written = readObject(targetSchemas.command, tree, where);
    const { ban, unban, start = null, stop = null, batch = false } = written;
    if (ban === undefined || unban === undefined) return way(written, null);
    const timeout = written.timeout ?? defaultOf(targetSchemas.command, "timeout") ?? 0;
    const parallel = written.parallel ?? defaultOf(targetSchemas.command, "parallel") ?? 1;
    return way(written, { name, enforcer: "command", ban, unban, start, stop, batch, timeout, parallel });
  },
};

function way(
  written: Pick<Written<typeof targetSchemas.nft>, "bantime" | "reset_connections">,
  spec: TargetSpec | null,
): Way {
  return { spec, bantime: written.bantime ?? null, resetConnections: written.reset_connections ?? false };
}

function refuseWithSets(key: string, tree: Tree, where: Where): void {
  refuse(key, "does not go with sets: what becomes of their elements say your rules", tree, where);
}

/** As nftables has it where a limit names none. */
const DEFAULT_BURST = 5;

type WrittenMatch = Partial<
  Pick<Written<typeof targetSchemas.nft>, "verdict" | "rate" | "burst" | "ports" | "protocols">
>;

function packetMatch(tree: Tree, written: WrittenMatch, where: Where): PacketMatch {
  const protocols = written.protocols ?? [];
  if (protocols.length > 0 && entryOf(tree, "ports") === null) {
    refuse("protocols", 'goes with ports only (all of them: "1-65535")', tree, where);
  }
  return {
    verdict: verdictOf(tree, written, where),
    ports: written.ports ?? [],
    protocols: [...new Set(protocols)],
  };
}

function verdictOf(tree: Tree, written: WrittenMatch, where: Where): Verdict {
  const kind = written.verdict ?? "drop";
  if (kind !== "throttle") {
    if (entryOf(tree, "verdict") === null || written.verdict !== undefined) {
      for (const key of ["rate", "burst"]) {
        // Where the schema has no such key, that was told already.
        if (written[key as "rate" | "burst"] !== undefined)
          refuse(key, "goes with verdict: throttle only", tree, where);
      }
    }
    return { kind };
  }
  if (entryOf(tree, "rate") === null) {
    where.report.error(where.what, "rate is missing; throttle needs one such as 10/minute", where.at);
  }
  const { packets, per } = written.rate ?? { packets: 1, per: 1000 };
  return { kind, packets, per, burst: written.burst ?? DEFAULT_BURST };
}

function refuse(key: string, fact: string, tree: Tree, where: Where): void {
  const entry = entryOf(tree, key);
  if (entry !== null) where.report.error(where.what, `${key} ${fact}`, entry.keyAt);
}

import type { TargetSpec, Verdict } from "../enforce/enforcer.ts";
import { defaultOf, entryOf, type Where, type Written } from "./read-object.ts";
import { targetSchema } from "./target-schema.ts";
import type { Tree } from "./yaml-tree.ts";

/** The target that exists without being written. */
export const DEFAULT_TARGET: TargetSpec = {
  name: "default",
  enforcer: "nftables",
  verdict: { kind: "drop" },
  ports: [],
  protocols: [],
};

/** Builds a target; keys that do not go together are reported. */
export function buildTarget(
  name: string,
  tree: Tree | null,
  written: Written<typeof targetSchema>,
  where: Where,
): TargetSpec {
  const ports = written.ports ?? [];
  const protocols = written.protocols ?? [];
  if (protocols.length > 0 && entryOf(tree, "ports") === null) {
    refuse("protocols", 'goes with ports only (all of them: "1-65535")', tree, where);
  }
  return {
    name,
    enforcer: written.enforcer ?? defaultOf(targetSchema, "enforcer") ?? "nftables",
    verdict: verdictOf(tree, written, where),
    ports,
    protocols: [...new Set(protocols)],
  };
}

/** As nftables has it where a limit names none. */
const DEFAULT_BURST = 5;

function verdictOf(tree: Tree | null, written: Written<typeof targetSchema>, where: Where): Verdict {
  const kind = written.verdict ?? "drop";
  if (kind !== "throttle") {
    if (entryOf(tree, "verdict") === null || written.verdict !== undefined) {
      for (const key of ["rate", "burst"]) refuse(key, "goes with verdict: throttle only", tree, where);
    }
    return { kind };
  }
  if (entryOf(tree, "rate") === null) {
    where.report.error(where.what, "rate is missing; throttle needs one such as 10/minute", where.at);
  }
  const { packets, per } = written.rate ?? { packets: 1, per: 1000 };
  return { kind, packets, per, burst: written.burst ?? DEFAULT_BURST };
}

function refuse(key: string, fact: string, tree: Tree | null, where: Where): void {
  const entry = entryOf(tree, key);
  if (entry !== null) where.report.error(where.what, `${key} ${fact}`, entry.keyAt);
}

import type { PacketTarget } from "./enforcer.ts";
import type { Needs } from "../core/needs.ts";

// What the kinds that write the table inet stoplog have in common.

export const OWN_TABLE = "the table inet stoplog";

export function ownTableNeeds({ verdict }: PacketTarget): Needs {
  return {
    netAdmin: true,
    module: "nf_tables",
    // The table's rules are in prerouting, where rejecting came with 5.9 (nft_reject.c, validation of hooks).
    ...(verdict.kind === "reject" ? { linux: { since: [5, 9], what: "reject packets" } } : {}),
  };
}

export function stopsAll({ verdict }: PacketTarget): boolean {
  return verdict.kind !== "throttle";
}

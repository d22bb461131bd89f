import type { PacketTarget } from "../enforcer.ts";
import { type EnforcerKind, targetOptions } from "../kind.ts";
import { describeMatch, packetMatch, throttleKeys } from "../packet-match.ts";

export const dryRun: EnforcerKind<PacketTarget> = {
  name: "dry-run",
  summary: "Only logs bans.",
  description: "Nothing is enforced; every ban is logged.",
  options: targetOptions(throttleKeys, (values, written) => ({
    name: written.name,
    enforcer: dryRun.name,
    ...packetMatch(values, written),
  })),
  once: true,
  describe: describeMatch,
  needs: () => ({}),
  keepsOut: () => false,
  unprovable: () => "it enforces nothing",
  open: async () => new (await import("./memory.ts")).MemoryEnforcer(),
};

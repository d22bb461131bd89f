import type { PacketTarget } from "../enforcer.ts";
import { type EnforcerKind, targetOptions } from "../kind.ts";
import { describeMatch, packetMatch, throttleKeys } from "../packet-match.ts";
import { OWN_TABLE, ownTableNeeds, stopsAll } from "../packet-target.ts";

export const nft: EnforcerKind<PacketTarget> = {
  name: "nft",
  summary: "The same by the program `nft`.",
  description: "nftables by its program, where Stoplog cannot speak to the kernel itself.",
  options: targetOptions(throttleKeys, (values, written) => ({
    name: written.name,
    enforcer: nft.name,
    ...packetMatch(values, written),
  })),
  once: true,
  owns: OWN_TABLE,
  describe: describeMatch,
  needs: (target) => ({
    ...ownTableNeeds(target),
    programs: [{ program: "nft", package: "nftables" }],
  }),
  keepsOut: stopsAll,
  open: async () => new (await import("./enforcer.ts")).NftProgramEnforcer(),
};

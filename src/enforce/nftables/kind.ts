import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { StoplogError } from "../../core/errors.ts";
import { nativeFault } from "../../kernel/native/libc.ts";
import type { PacketTarget, TargetSpec, Verdict } from "../enforcer.ts";
import { type EnforcerKind, targetOptions } from "../kind.ts";
import { nft } from "../nft-program/kind.ts";
import { nftSet, type NftSetTarget, setName } from "../nft-set/kind.ts";
import { describeMatch, NOT_WITH_SETS, packetMatch, throttleKeys } from "../packet-match.ts";
import { OWN_TABLE, ownTableNeeds, stopsAll } from "../packet-target.ts";
import { lowerFirst } from "../../core/wording.ts";

const BESIDE = "bans go into Stoplog's own table in nftables, beside that firewall's rules";

export const nftables: EnforcerKind<PacketTarget> = {
  name: "nftables",
  summary: "The kernel's nftables, without the program `nft`.",
  description: "A table of our own in nftables, or sets of yours.",
  options: targetOptions(
    (v) => ({
      ...throttleKeys(v),
      sets: v
        .oneOrMore(setName(v), 'a set such as "inet filter blocked4" or a list of them')
        .optional()
        .meta({
          description:
            "Sets of yours, each as family, table and name. Stoplog only adds and removes elements; your rules decide what happens to them.",
          examples: [["inet filter blocked4", "inet filter blocked6"]],
        }),
    }),
    (values, written): PacketTarget | NftSetTarget => {
      const { name } = written;
      const { sets } = values;
      if (sets === undefined) return { name, enforcer: nftables.name, ...packetMatch(values, written) };
      for (const key of ["verdict", "rate", "burst", "ports", "protocols"])
        written.refuse(key, NOT_WITH_SETS);
      return { name, enforcer: nftSet.name, sets };
    },
  ),
  once: true,
  owns: OWN_TABLE,
  describe: describeMatch,
  needs: (target) => ({ ...ownTableNeeds(target), native: { instead: "nft" } }),
  keepsOut: stopsAll,
  fail2ban: [
    { names: /^nftables(?:-multiport|-allports)?$/ },
    { names: /^iptables(?:-multiport|-allports|-new)?$/ },
    { names: /^iptables-multiport-log$/, note: "packets of the banned are not logged" },
    {
      names: /^iptables-xt_recent-echo$/,
      allPorts: true,
      note: "its list of xt_recent is not kept; a target with enforcer: recent does that with rules of yours",
    },
    { names: /^firewallcmd-(?:allports|common|ipset|multiport|new|rich-logging|rich-rules)$/, note: BESIDE },
    {
      names: /^(?:shorewall(?:-ipset-proto6)?|ufw|apf|symbiosis-blacklist-allports)$/,
      allPorts: true,
      note: BESIDE,
    },
    {
      names: /^(?:pf|npf|ipfw|bsd-ipfw|ipfilter|osx-\w+)$/,
      note: "it is not a firewall of Linux: nftables was written instead",
    },
  ],
  async open(say) {
    const fault = nativeFault();
    if (fault === null) return new (await import("./enforcer.ts")).NftablesEnforcer({ warn: say });
    if (!hasProgram("nft"))
      throw new StoplogError(
        `Cannot use nftables: ${lowerFirst(fault)}, and the nft program is not installed`,
      );
    say(`${fault}; bans go through the nft program instead, which is slower`);
    return nft.open(say);
  },
};

/** Whether a target's bans are rules of our own table, by our own messages or by the program. */
export function isPacketTarget(target: TargetSpec): target is PacketTarget {
  return target.enforcer === nftables.name || target.enforcer === nft.name;
}

/** A target in our own table for all traffic. */
export function packetTarget(name: string, verdict: Verdict): PacketTarget {
  return { name, enforcer: nftables.name, verdict, ports: [], protocols: [] };
}

function hasProgram(name: string): boolean {
  return (process.env["PATH"] ?? "").split(":").some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

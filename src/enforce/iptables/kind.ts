import type { Limit } from "../../core/limits.ts";
import type { PacketMatch, TargetSpec } from "../enforcer.ts";
import { type EnforcerKind, targetOptions } from "../kind.ts";
import { chainKeys, describeMatch, packetMatch } from "../packet-match.ts";
import { inputGap } from "./input-gap.ts";

/** One rule of iptables for each ban. */
export interface IptablesTarget extends TargetSpec, PacketMatch {
  readonly chain: string;
  /** The interface that packets come in by, as iptables' `-i` takes it (`eth+`); null for all. */
  readonly interface: string | null;
}

export const LIMITS = {
  iptablesRules: {
    value: 10_000,
    unit: "bans",
    what: "bans of one family that a target of iptables has rules for, which each packet passes",
    full: "as for a set of the kernel",
    counter: "enforcers.*.refused, enforcers.*.notEnforced, enforcers.*.evicted",
    setting: null,
  },
} as const satisfies Readonly<Record<string, Limit>>;

export const iptables: EnforcerKind<IptablesTarget> = {
  name: "iptables",
  summary: "A rule of iptables for each ban.",
  description:
    "For hosts with iptables and few bans: each packet passes every rule. The rule's comment says when the ban ends.",
  options: targetOptions(
    (v) => ({
      ...chainKeys(v),
      interface: v
        .toolName("the name of an interface")
        .optional()
        .meta({
          description: "Only packets that come in by this interface; a `+` at its end matches any rest.",
          examples: ["eth+"],
        }),
    }),
    (values, written): IptablesTarget => {
      const { chain, interface: incoming = null } = values;
      const match = packetMatch(values, written);
      return { name: written.name, enforcer: iptables.name, ...match, chain, interface: incoming };
    },
  ),
  once: true,
  describe: (target) =>
    `${describeMatch(target)}, chain ${target.chain}${target.interface === null ? "" : `, interface ${target.interface}`}`,
  // Chains of targets that are not in the configuration are removed.
  places: () => ["chains of iptables"],
  needs: () => ({
    netAdmin: true,
    root: true,
    programs: ["iptables-save", "iptables-restore"].map((program) => ({ program, package: "iptables" })),
  }),
  keepsOut: () => true,
  unprovable: (target) =>
    target.interface === null ? null : `its rules are for packets from ${target.interface}`,
  gaps: (target) => [
    ...inputGap(target),
    {
      traffic: "IPv6",
      where: { installed: "iptables-restore", missing: "ip6tables-restore" },
      what: `Target ${target.name} cannot ban IPv6: ip6tables-restore is not installed`,
      why: "Attackers over IPv6 are not stopped",
      cure: ["apt-get install iptables", `# or in the configuration: ${target.name}: { enforcer: nftables }`],
    },
  ],
  limits: LIMITS,
  open: async () => new (await import("./enforcer.ts")).IptablesEnforcer(),
};

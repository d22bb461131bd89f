import type { PacketMatch, TargetSpec } from "../enforcer.ts";
import { type EnforcerKind, targetOptions } from "../kind.ts";
import { inputGap } from "../iptables/input-gap.ts";
import { chainKeys, describeMatch, NOT_WITH_SETS, packetMatch } from "../packet-match.ts";

/** Sets of our own or the operator's in ipset. */
export interface IpsetTarget extends TargetSpec, PacketMatch {
  /** The operator's sets, at most one for each family; empty for sets and one rule each of our own. */
  readonly sets: readonly string[];
  /** The chain of iptables' filter table that begins with our rule. */
  readonly chain: string;
  /** False when the operator writes the rule. */
  readonly rule: boolean;
}

export const ipset: EnforcerKind<IpsetTarget> = {
  name: "ipset",
  summary: "Sets of ipset and the rule of iptables that uses them.",
  description: "For hosts with iptables: a set holds any number of bans.",
  options: targetOptions(
    (v) => ({
      ...chainKeys(v),
      sets: v
        .oneOrMore(v.toolName("the name of a set"), "the name of a set or a list of them")
        .optional()
        .meta({
          description:
            "Sets of yours. Stoplog only adds and removes elements; your rules decide what happens to them.",
          examples: [["blocked4", "blocked6"]],
        }),
      rule: v
        .flag()
        .default(true)
        .meta({ description: "`false` when you write the rule for our sets yourself." }),
    }),
    (values, written): IpsetTarget => {
      const { sets = [], chain, rule } = values;
      if (sets.length > 0)
        for (const key of ["verdict", "ports", "protocols", "chain", "rule"])
          written.refuse(key, NOT_WITH_SETS);
      const match = packetMatch(values, written);
      return { name: written.name, enforcer: ipset.name, ...match, sets, chain, rule };
    },
  ),
  once: false,
  describe: (target) =>
    target.sets.length > 0
      ? `your sets ${target.sets.join(", ")}`
      : `${describeMatch(target)}, ${target.rule ? `chain ${target.chain}` : "your own rule"}`,
  places: ({ name, sets }) =>
    sets.length > 0 ? sets.map((set) => `ipset ${set}`) : [`ipsets of target ${name}`],
  needs: ({ sets, rule }) => ({
    netAdmin: true,
    root: true,
    // iptables asks for the set's number through a raw socket.
    ...(rule && sets.length === 0 ? { unit: RAW_SOCKET } : {}),
  }),
  keepsOut: () => true,
  singles: ({ sets }) => sets.length > 0,
  gaps: (target) => [
    ...(target.rule && target.sets.length === 0 ? inputGap(target) : []),
    ...(target.sets.length === 1 ? [oneFamily(target.name)] : []),
  ],
  fail2ban: [{ names: /^iptables-ipset(?:-proto4|-proto6|-proto6-allports)?$/ }],
  open: async () => new (await import("./enforcer.ts")).IpsetEnforcer(),
};

const RAW_SOCKET = ["AmbientCapabilities=CAP_NET_RAW", "CapabilityBoundingSet=CAP_NET_RAW"];

function oneFamily(name: string) {
  return {
    traffic: "IPv6",
    what: `Target ${name} has one set, which holds addresses of one family`,
    why: "Attackers of the other family are not stopped",
    cure: [
      `# make a second set (family inet6) and a rule that uses it, and name it in the configuration: sets of ${name}`,
    ],
  } as const;
}

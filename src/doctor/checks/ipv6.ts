import type { Check } from "../check.ts";
import { type Finding, fine, trouble } from "../finding.ts";
import type { Host } from "../host.ts";
import { type Situation, targetsOf } from "../situation.ts";

/** A machine that can be reached over IPv6 needs bans of IPv6. */
export const ipv6: Check = {
  name: "ipv6",
  looksAt: "bans of IPv6",
  find(situation) {
    const { config, host } = situation;
    const link = reachable(host);
    if (config === null || link === null) return [];
    const found = [...withoutProgram(situation, link), ...withOneSet(situation, link)];
    return found.length > 0 ? found : [fine("Bans hold for IPv6 as well")];
  },
};

/** An interface with an address that is valid everywhere: scope 00 in /proc/net/if_inet6, and not the local fc00::/7. */
function reachable(host: Host): string | null {
  for (const line of (host.read("/proc/net/if_inet6") ?? "").split("\n")) {
    const [address = "", , , scope, , link] = line.trim().split(/\s+/);
    if (scope === "00" && /^[23]/.test(address)) return link ?? null;
  }
  return null;
}

function withoutProgram(situation: Situation, link: string): Finding[] {
  const [target] = targetsOf(situation, "iptables");
  if (target === undefined || situation.host.program("iptables-restore") === null) return [];
  if (situation.host.program("ip6tables-restore") !== null) return [];
  return [
    trouble({
      what: `Target ${target.name} cannot ban IPv6: ip6tables-restore is not installed, and ${link} has an IPv6 address`,
      why: "An attacker who comes over IPv6 is not stopped",
      cure: ["apt-get install iptables", `# or in the configuration: ${target.name}: { enforcer: nftables }`],
    }),
  ];
}

/** A set holds addresses of one family. */
function withOneSet(situation: Situation, link: string): Finding[] {
  return [
    ...targetsOf(situation, "ipset").filter(({ sets }) => sets.length === 1),
    ...targetsOf(situation, "nft-set").filter(({ sets }) => sets.length === 1),
  ].map(({ name, enforcer }) =>
    trouble({
      what: `Target ${name} has one set, which holds addresses of one family, and ${link} has an IPv6 address`,
      why: "Attackers of the other family are not stopped",
      cure: [
        `# make a second set (${enforcer === "ipset" ? "family inet6" : "type ipv6_addr"}) and a rule that uses it, and name it in the configuration: sets of ${name}`,
      ],
    }),
  );
}

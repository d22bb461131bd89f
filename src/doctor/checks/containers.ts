import type { Check } from "../check.ts";
import { type Finding, fine, trouble } from "../finding.ts";
import type { Host } from "../host.ts";
import { targetsOf } from "../situation.ts";

/**
 * Packets to a published port of a container are forwarded and never pass INPUT. Our own nftables rules stand in prerouting, which all
 * packets pass.
 */
export const containers: Check = {
  name: "containers",
  looksAt: "containers",
  find(situation) {
    const links = containerLinks(situation.host);
    if (links.length === 0) return [];
    const missed: Finding[] = [];
    for (const { name, enforcer, chain, own } of chains(situation)) {
      if (!own || chain !== "INPUT") continue;
      missed.push(
        trouble({
          what: `Target ${name} bans in iptables' chain INPUT, and ${links[0]} leads to containers`,
          why: "Packets for a container's published ports are forwarded and never pass INPUT: the banned go on",
          cure: [
            `# in the configuration, a second way beside it: ${name}: [{ enforcer: ${enforcer} }, { enforcer: ${enforcer}, chain: DOCKER-USER }]`,
            `# or, for all packets at once: ${name}: { enforcer: nftables }`,
          ],
        }),
      );
    }
    for (const { name } of targetsOf(situation, "hosts.deny")) {
      missed.push(
        trouble({
          what: `Target ${name} bans in a file of tcp_wrappers, and ${links[0]} leads to containers`,
          why: "Services in containers have a file of their own and never see this one",
          cure: [`# in the configuration: ${name}: { enforcer: nftables }`],
        }),
      );
    }
    return missed.length > 0 ? missed : [fine(`Bans reach the containers behind ${links[0]}`)];
  },
};

/** Interfaces that Docker, Podman and Kubernetes' plug-ins make. */
export function containerLinks(host: Host): readonly string[] {
  return host
    .list("/sys/class/net")
    .filter((name) => /^(docker\d+|br-[0-9a-f]{12}|podman\d+|cni-?podman\d+|cni\d+|cbr\d+)$/.test(name));
}

function chains(situation: Parameters<Check["find"]>[0]) {
  return [
    ...targetsOf(situation, "iptables").map((target) => ({ ...target, own: true })),
    ...targetsOf(situation, "ipset").map((target) => ({
      ...target,
      own: target.rule && target.sets.length === 0,
    })),
  ];
}

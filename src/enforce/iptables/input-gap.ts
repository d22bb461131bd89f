import type { Gap } from "../kind.ts";

/** Packets that never pass the chain INPUT: those for a container's published port are forwarded. */
export function inputGap({
  name,
  enforcer,
  chain,
}: {
  readonly name: string;
  readonly enforcer: string;
  readonly chain: string;
}): readonly Gap[] {
  if (chain !== "INPUT") return [];
  return [
    {
      traffic: "containers",
      what: `Target ${name} bans in iptables' chain INPUT`,
      why: "Packets for a container's published ports are forwarded and never pass INPUT: banned addresses still reach them",
      cure: [
        `# in the configuration, a second way beside it: ${name}: [{ enforcer: ${enforcer} }, { enforcer: ${enforcer}, chain: DOCKER-USER }]`,
        `# or, for all packets at once: ${name}: { enforcer: nftables }`,
      ],
    },
  ];
}

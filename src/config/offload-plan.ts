import type { Prefix } from "../core/prefix.ts";
import { rangesOf } from "../core/ranges.ts";
import { LIMITS } from "../core/limits.ts";
import type { KernelJail } from "../offload/kernel/kernel-jail.ts";
import type { KernelPlan } from "../offload/kernel/kernel-plan.ts";
import type { PacketMatch } from "../enforce/enforcer.ts";
import { isPacketTarget } from "../enforce/nftables/kind.ts";
import type { Config, JailConfig } from "./config.ts";

/** The jails that the kernel counts for, and the addresses that it ignores. `own` are this machine's. */
export function offloadPlan(config: Config, own: readonly Prefix[]): KernelPlan {
  return {
    jails: offloadedJails(config, own),
    ignored: rangesOf(config.ignoreip),
    cap: config.limits.packetBans,
  };
}

/** `own` are this machine's addresses: jails with `ignoreself` do not count them. */
export function offloadedJails(config: Config, own: readonly Prefix[]): readonly KernelJail[] {
  return config.jails.flatMap((jail) =>
    jail.offload === undefined ? [] : [kernelJail({ ...jail, offload: jail.offload }, config, own)],
  );
}

function kernelJail(
  jail: JailConfig & Required<Pick<JailConfig, "offload">>,
  config: Config,
  own: readonly Prefix[],
): KernelJail {
  const { packets = {}, offload } = jail;
  const { protocols = [], ports = [], flags, interfaces = [] } = packets;
  const [step] = jail.steps;
  return {
    name: jail.name,
    packets: { protocols, ports, flags: flags ?? null, interfaces, opening: offload?.opening === true },
    condition:
      offload?.connlimit === null || offload?.connlimit === undefined
        ? { kind: "packets", maxretry: jail.maxretry, findtime: jail.findtime }
        : { kind: "connections", most: offload.connlimit },
    bantime: step?.bantime ?? 0,
    match: matchAt(step?.target ?? "", config),
    ipv4Prefix: jail.ipv4Prefix,
    ipv6Prefix: jail.ipv6Prefix,
    addresses: Math.min(jail.addresses, LIMITS.kernelAddresses.value),
    ignored: rangesOf([...jail.ignoreip, ...(config.ignoreSelf && jail.ignoreSelf ? own : [])]),
  };
}

/** What nftables does with a target's packets. The check of the configuration has made sure that the target uses nftables. */
function matchAt(name: string, { targets }: Config): PacketMatch {
  for (const spec of targets.find((target) => target.name === name)?.enforcers ?? [])
    if (isPacketTarget(spec)) return { verdict: spec.verdict, ports: spec.ports, protocols: spec.protocols };
  return { verdict: { kind: "drop" }, ports: [], protocols: [] };
}

import { kmsg } from "../../source/kmsg/kind.ts";
import type { Check } from "../check.ts";
import { setSysctl } from "../cure.ts";
import { advice, type Finding, fine, trouble } from "../finding.ts";
import { type Host, readSysctl } from "../host.ts";
import { CAP_SYSLOG, holds } from "../processes.ts";
import { type Situation, sourcesOf } from "../situation.ts";
import { containerLinks } from "./containers.ts";

/**
 * Whether LOG rules reach /dev/kmsg. printk's rate limits do not apply to them: a rule has its own limit
 * (net/netfilter/nf_log_syslog.c).
 */
export const kernelLog: Check = {
  name: "kernel-log",
  title: "the kernel's log",
  reports: "a source of type kmsg cannot read the kernel's log, or does not see the messages of containers",
  look(situation) {
    if (sourcesOf(situation, kmsg).length === 0) return [];
    const found = [...mayNotRead(situation), ...namespaces(situation.host)];
    return found.length > 0
      ? found
      : [fine("The kernel's log is readable and contains the messages of LOG rules")];
  },
};

const RESTRICT = "kernel.dmesg_restrict";
const ALL = "net.netfilter.nf_log_all_netns";

function mayNotRead({ host, rights }: Situation): Finding[] {
  if (rights === null || holds(rights, CAP_SYSLOG) || readSysctl(host, RESTRICT) !== 1) return [];
  return [
    trouble({
      what: "Stoplog cannot read /dev/kmsg: kernel.dmesg_restrict is 1, and it lacks CAP_SYSLOG",
      why: "A source of type kmsg reads nothing",
      cure: [
        "# in the unit: CapabilityBoundingSet and AmbientCapabilities with CAP_SYSLOG, PrivateDevices=no, ProtectKernelLogs=no, DeviceAllow=/dev/kmsg r; or:",
        ...setSysctl(RESTRICT, 0),
      ],
    }),
  ];
}

/** The sysctl exists only in the initial network namespace (net/netfilter/nf_log.c). */
function namespaces(host: Host): Finding[] {
  const all = readSysctl(host, ALL);
  if (all === 1) return [];
  if (all === null) {
    if (host.list("/proc/sys/net/netfilter/nf_log").length === 0) return [];
    return [
      trouble({
        what: "This is a separate network namespace: its LOG rules write nothing to the kernel's log unless the host allows it",
        why: "A source of type kmsg sees no packets of this namespace",
        cure: [
          "# on the host, not in this container; or use a source of type nflog, which needs no permission",
          ...setSysctl(ALL, 1),
        ],
      }),
    ];
  }
  const links = containerLinks(host);
  if (links.length === 0) return [];
  return [
    advice({
      what: `LOG rules in containers write nothing: ${ALL} is 0, and ${links[0]} leads to containers`,
      why: "A source of type kmsg sees only the packets that the host's own rules log",
      cure: setSysctl(ALL, 1),
    }),
  ];
}

import { kmsg } from "../../source/kmsg/kind.ts";
import type { Check } from "../check.ts";
import { setSysctl } from "../cure.ts";
import { advice, type Finding, fine, trouble } from "../finding.ts";
import { type Host, readSysctl } from "../host.ts";
import { CAP_SYSLOG, holds } from "../processes.ts";
import { type Situation, sourcesOf } from "../situation.ts";
import { containerLinks } from "./containers.ts";

/**
 * What keeps LOG rules from /dev/kmsg. Not printk's rate limits: what firewall rules log is not under them, and a rule has its own
 * (net/netfilter/nf_log_syslog.c).
 */
export const kernelLog: Check = {
  name: "kernel-log",
  looksAt: "the kernel's log",
  find(situation) {
    if (sourcesOf(situation, kmsg).length === 0) return [];
    const found = [...mayNotRead(situation), ...namespaces(situation.host)];
    return found.length > 0 ? found : [fine("The kernel's log can be read and has what LOG rules write")];
  },
};

const RESTRICT = "kernel.dmesg_restrict";
const ALL = "net.netfilter.nf_log_all_netns";

function mayNotRead({ host, rights }: Situation): Finding[] {
  if (rights === null || holds(rights, CAP_SYSLOG) || readSysctl(host, RESTRICT) !== 1) return [];
  return [
    trouble({
      what: "Stoplog may not read /dev/kmsg: kernel.dmesg_restrict is 1, and it has no CAP_SYSLOG",
      why: "A source of type kmsg gives no lines",
      cure: [
        "# in the unit: CapabilityBoundingSet and AmbientCapabilities with CAP_SYSLOG, and PrivateDevices=no; or:",
        ...setSysctl(RESTRICT, 0),
      ],
    }),
  ];
}

/** The switch is there in the first network namespace alone (net/netfilter/nf_log.c). */
function namespaces(host: Host): Finding[] {
  const all = readSysctl(host, ALL);
  if (all === 1) return [];
  if (all === null) {
    if (host.list("/proc/sys/net/netfilter/nf_log").length === 0) return [];
    return [
      trouble({
        what: "This is a network namespace of its own, whose LOG rules write nothing into the kernel's log unless the machine allows it",
        why: "A source of type kmsg sees no packet of this namespace",
        cure: [
          "# on the machine itself, not in this container; or use a source of type nflog, which needs no leave",
          ...setSysctl(ALL, 1),
        ],
      }),
    ];
  }
  const links = containerLinks(host);
  if (links.length === 0) return [];
  return [
    advice({
      what: `LOG rules inside of containers write nothing: ${ALL} is 0, and ${links[0]} leads to containers`,
      why: "A source of type kmsg sees the packets that this machine's own rules log, and none that a container's rules do",
      cure: setSysctl(ALL, 1),
    }),
  ];
}

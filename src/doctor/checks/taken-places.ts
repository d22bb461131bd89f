import { type ListenAddress, parseListenAddress } from "../../source/syslog/listen-address.ts";
import { nflog } from "../../source/nflog/kind.ts";
import { syslog } from "../../source/syslog/kind.ts";
import type { Check } from "../check.ts";
import { quoted } from "../cure.ts";
import { type Finding, fine, trouble } from "../finding.ts";
import type { Host } from "../host.ts";
import { type Situation, sourcesOf } from "../situation.ts";

/** Ports, sockets and log groups of sources that another program holds. A running daemon holds them itself. */
export const takenPlaces: Check = {
  name: "taken-places",
  title: "ports and log groups",
  reports: "another program holds a port, socket or log group of a source",
  look(situation) {
    if (situation.daemon !== null) return [];
    const sockets = sourcesOf(situation, syslog);
    const groups = sourcesOf(situation, nflog);
    if (sockets.length + groups.length === 0) return [];
    const found = [
      ...sockets.flatMap(({ name, listen }) => listenTaken(situation.host, name, listen)),
      ...groups.flatMap(({ name, group }) => groupTaken(situation, name, group)),
    ];
    return found.length > 0 ? found : [fine("The ports, sockets and log groups of sources are free")];
  },
};

function listenTaken(host: Host, source: string, listen: string): Finding[] {
  const address = parseListenAddress(listen);
  if (typeof address === "string" || !isTaken(host, address)) return [];
  return [
    trouble({
      what: `Another program holds ${listen}, on which source ${source} listens`,
      why: "The source gets nothing until that program closes it",
      cure: [
        address.kind === "unix"
          ? `ss -xlpn | grep -F ${quoted(address.path)}`
          : `ss -lpn${address.kind === "udp" ? "u" : "t"} sport = :${address.port}`,
        "# end that program, or change `listen` of the source",
      ],
    }),
  ];
}

function isTaken(host: Host, address: ListenAddress): boolean {
  if (address.kind === "unix") {
    return (host.read("/proc/net/unix") ?? "").split("\n").some((line) => line.endsWith(` ${address.path}`));
  }
  const { kind, port } = address;
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  // The second column is the local address, the fourth the state: 0A is LISTEN for TCP, 07 an unconnected UDP socket.
  const held = new RegExp(`^\\s*\\d+: [0-9A-F]+:${hex} [0-9A-F:]+ ${kind === "tcp" ? "0A" : "07"} `, "m");
  return ["", "6"].some((six) => held.test(host.read(`/proc/net/${kind}${six}`) ?? ""));
}

/** /proc/net/netfilter/nfnetlink_log: the group's number, then the port of the socket that holds it (nfnetlink_log.c). */
function groupTaken({ host }: Situation, source: string, group: number): Finding[] {
  const lines = (host.read("/proc/net/netfilter/nfnetlink_log") ?? "").split("\n");
  const holder = lines
    .map((line) => line.trim().split(/\s+/))
    .find(([first]) => first === String(group))?.[1];
  if (holder === undefined) return [];
  return [
    trouble({
      what: `Another program (socket ${holder}) holds log group ${group} of source ${source}`,
      why: "A group has one reader: the source gets no packets",
      cure: [
        `# end that program, ulogd for example, or use another group than ${group} for the source and its rules`,
      ],
    }),
  ];
}

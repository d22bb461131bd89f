import type { Check } from "../check.ts";
import { setSysctl } from "../cure.ts";
import { advice, fine } from "../finding.ts";
import { type Host, readNumber, readSysctl } from "../host.ts";
import { countsPackets } from "../situation.ts";

/** Whether a packet may come in by an interface that leads nowhere near its source. Only of interest where packets are what is counted. */
export const reversePath: Check = {
  name: "reverse-path",
  looksAt: "reverse path filtering",
  find(situation) {
    const { host } = situation;
    if (!countsPackets(situation)) return [];
    const all = readSysctl(host, ALL);
    const links = host.list(FOLDER).filter((name) => !SPECIAL.includes(name) && isUp(host, name));
    // Behind a single one lies everything.
    if (all === null || links.length < 2) return [];
    // The kernel goes by the greater of both (ip-sysctl: rp_filter).
    const modes = links.map((name) => Math.max(all, readNumber(host, `${FOLDER}/${name}/rp_filter`) ?? 0));
    const open = links.filter((_, i) => modes[i] === 0);
    if (open.length === 0) {
      const strict = modes.every((mode) => mode === 1);
      return [
        fine(strict ? "Packets from behind another interface are refused" : "Reverse path filtering is on"),
      ];
    }
    return [
      advice({
        what: `Packets are taken from any source on ${listed(open)}: net.ipv4.conf.*.rp_filter is 0`,
        why: "A jail here counts packets: anybody can send some in the name of an address that lies behind another interface, and get it banned",
        cure: ["# not where packets come in by another way than the answers go out", ...setSysctl(ALL, 1)],
      }),
    ];
  },
};

const FOLDER = "/proc/sys/net/ipv4/conf";
const ALL = "net.ipv4.conf.all.rp_filter";
const SPECIAL = ["all", "default", "lo"];

/** Many are `unknown` though they are up, as tunnels are. */
function isUp(host: Host, link: string): boolean {
  return host.read(`/sys/class/net/${link}/operstate`)?.trim() !== "down";
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

import type { Check } from "../check.ts";
import { setSysctl } from "../cure.ts";
import { advice, fine } from "../finding.ts";
import { type Host, readNumber, readSysctl } from "../host.ts";
import { countsPackets } from "../situation.ts";

/** Whether the kernel accepts a packet from an interface that does not lead to its source. Matters only where jails count packets. */
export const reversePath: Check = {
  name: "reverse-path",
  title: "reverse path filtering",
  reports: "jails count packets, and an interface accepts packets from any source",
  look(situation) {
    const { host } = situation;
    if (!countsPackets(situation)) return [];
    const all = readSysctl(host, ALL);
    const links = host.list(FOLDER).filter((name) => !SPECIAL.includes(name) && isUp(host, name));
    // A single interface leads everywhere.
    if (all === null || links.length < 2) return [];
    // The kernel uses the larger of both values (ip-sysctl: rp_filter).
    const modes = links.map((name) => Math.max(all, readNumber(host, `${FOLDER}/${name}/rp_filter`) ?? 0));
    const open = links.filter((_, i) => modes[i] === 0);
    if (open.length === 0) {
      const strict = modes.every((mode) => mode === 1);
      return [
        fine(
          strict
            ? "Packets with a source behind another interface are dropped"
            : "Reverse path filtering is on",
        ),
      ];
    }
    return [
      advice({
        what: `Packets from any source are accepted on ${listed(open)}: net.ipv4.conf.*.rp_filter is 0`,
        why: "A jail counts packets: anyone can send packets with a forged source behind another interface, and so get that address banned",
        cure: ["# not where replies leave by another interface than requests arrive", ...setSysctl(ALL, 1)],
      }),
    ];
  },
};

const FOLDER = "/proc/sys/net/ipv4/conf";
const ALL = "net.ipv4.conf.all.rp_filter";
const SPECIAL = ["all", "default", "lo"];

/** Tunnels and others are `unknown` although they are up. */
function isUp(host: Host, link: string): boolean {
  return host.read(`/sys/class/net/${link}/operstate`)?.trim() !== "down";
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

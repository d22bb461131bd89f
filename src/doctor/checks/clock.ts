import { syslog } from "../../source/syslog/kind.ts";
import type { Check } from "../check.ts";
import { advice, fine } from "../finding.ts";
import { sourcesOf } from "../situation.ts";

/** Lines from other machines carry the time of those machines: both clocks must be right. Local lines depend on one clock only. */
export const clock: Check = {
  name: "clock",
  title: "the clock",
  reports: "lines arrive over the network, and the clock is not synchronised",
  look(situation) {
    const { host, inContainer } = situation;
    const { clockSynchronised } = host.facts;
    if (clockSynchronised === null) return [];
    if (clockSynchronised) return [fine("The clock is synchronised")];
    const far = sourcesOf(situation, syslog).find(({ listen }) => /^(udp|tcp):/.test(listen));
    if (far === undefined) return [fine("The clock is not synchronised, but all lines are local")];
    return [
      advice({
        what: "The system clock is not synchronised",
        why: `Lines that source ${far.name} receives over the network are compared with this clock; lines that appear older than findtime do not count`,
        cure: inContainer
          ? ["# on the machine that runs this container: timedatectl set-ntp true"]
          : ["timedatectl set-ntp true", "# or install chrony"],
      }),
    ];
  },
};

import { syslog } from "../../source/syslog/kind.ts";
import type { Check } from "../check.ts";
import { advice, fine } from "../finding.ts";
import { sourcesOf } from "../situation.ts";

/** Lines from other machines bear the time of those: both clocks must be right. Where all lines are this machine's, only one clock counts. */
export const clock: Check = {
  name: "clock",
  looksAt: "the clock",
  find(situation) {
    const { host, inContainer } = situation;
    const { clockSynchronised } = host.facts;
    if (clockSynchronised === null) return [];
    if (clockSynchronised) return [fine("The clock is kept right")];
    const far = sourcesOf(situation, syslog).find(({ listen }) => /^(udp|tcp):/.test(listen));
    if (far === undefined) return [fine("Nobody keeps the clock right, but no line comes from elsewhere")];
    return [
      advice({
        what: "Nobody keeps this machine's clock right: the kernel says it is not synchronised",
        why: `Lines that come over the network by source ${far.name} are judged by this clock; those that seem older than findtime do not count`,
        cure: inContainer
          ? ["# on the machine that runs this container: timedatectl set-ntp true"]
          : ["timedatectl set-ntp true", "# or install chrony"],
      }),
    ];
  },
};

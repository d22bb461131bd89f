import { syslog } from "../../source/syslog/kind.ts";
import type { Check } from "../check.ts";
import { setSysctl } from "../cure.ts";
import { advice, fine } from "../finding.ts";
import { readSysctl } from "../host.ts";
import { sourcesOf } from "../situation.ts";

/** The queue length of UNIX datagram sockets. As root, the daemon raises it by itself (source/syslog/unix-listener.ts). */
export const datagramQueue: Check = {
  name: "datagram-queue",
  title: "the queue of UNIX sockets",
  reports: "a UNIX socket queues fewer than 512 messages, and Stoplog cannot change that",
  look(situation) {
    const { host, rights } = situation;
    const sources = sourcesOf(situation, syslog).filter(({ listen }) => listen.startsWith("unix:"));
    const length = readSysctl(host, NAME);
    if (sources.length === 0 || length === null) return [];
    if (length >= WANTED) return [fine(`A UNIX socket queues ${length} messages`)];
    if (rights?.uid === 0) {
      return [
        fine(`A UNIX socket queues ${length} messages; Stoplog runs as root and raises that by itself`),
      ];
    }
    return [
      advice({
        what: `A UNIX socket queues only ${length} messages: ${NAME}`,
        why: `A sender that does not wait drops messages while source ${sources[0]?.name} is busy; the setting applies to new sockets`,
        cure: [...setSysctl(NAME, WANTED), "systemctl restart stoplog"],
      }),
    ];
  },
};

const NAME = "net.unix.max_dgram_qlen";
const WANTED = 512;

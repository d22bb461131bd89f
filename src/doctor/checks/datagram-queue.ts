import { syslog } from "../../source/syslog/kind.ts";
import type { Check } from "../check.ts";
import { setSysctl } from "../cure.ts";
import { advice, fine } from "../finding.ts";
import { readSysctl } from "../host.ts";
import { sourcesOf } from "../situation.ts";

/** How many messages wait in a UNIX socket. As root the daemon raises it by itself (source/syslog/unix-listener.ts). */
export const datagramQueue: Check = {
  name: "datagram-queue",
  looksAt: "the queue of UNIX sockets",
  find(situation) {
    const { host, rights } = situation;
    const sources = sourcesOf(situation, syslog).filter(({ listen }) => listen.startsWith("unix:"));
    const length = readSysctl(host, NAME);
    if (sources.length === 0 || length === null) return [];
    if (length >= WANTED) return [fine(`A UNIX socket holds ${length} messages that wait to be read`)];
    if (rights?.uid === 0) {
      return [fine(`A UNIX socket holds ${length} messages; Stoplog runs as root and raises that by itself`)];
    }
    return [
      advice({
        what: `A UNIX socket holds ${length} messages that wait to be read: ${NAME}`,
        why: `A program that does not wait for its reader drops what comes while source ${sources[0]?.name} is busy; it holds for sockets made from then on`,
        cure: [...setSysctl(NAME, WANTED), "systemctl restart stoplog"],
      }),
    ];
  },
};

const NAME = "net.unix.max_dgram_qlen";
const WANTED = 512;

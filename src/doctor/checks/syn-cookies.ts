import type { Check } from "../check.ts";
import { setSysctl } from "../cure.ts";
import { advice, fine, trouble } from "../finding.ts";
import { readSysctl } from "../host.ts";
import { countsPackets } from "../situation.ts";

/** Connection requests from forged addresses fill a service's queue, and no ban can prevent that (Documentation/networking/ip-sysctl). */
export const synCookies: Check = {
  name: "syn-cookies",
  title: "SYN cookies",
  reports: "they are off",
  look(situation) {
    const value = readSysctl(situation.host, NAME);
    if (value === null) return [];
    if (value !== 0) return [fine("SYN cookies are on")];
    const say = countsPackets(situation) ? trouble : advice;
    return [
      say({
        what: "SYN cookies are off",
        why: "Connection requests from forged addresses fill the queues of your services, and no ban can prevent that",
        cure: setSysctl(NAME, 1),
      }),
    ];
  },
};

const NAME = "net.ipv4.tcp_syncookies";

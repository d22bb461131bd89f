import type { Check } from "../check.ts";
import { setSysctl } from "../cure.ts";
import { advice, fine, trouble } from "../finding.ts";
import { readSysctl } from "../host.ts";
import { countsPackets } from "../situation.ts";

/** Forged connection requests fill a service's queue long before anybody could be banned for them (Documentation/networking/ip-sysctl). */
export const synCookies: Check = {
  name: "syn-cookies",
  looksAt: "SYN cookies",
  find(situation) {
    const value = readSysctl(situation.host, NAME);
    if (value === null) return [];
    if (value !== 0) return [fine("SYN cookies are on")];
    const say = countsPackets(situation) ? trouble : advice;
    return [
      say({
        what: "SYN cookies are off",
        why: "A flood of connection requests from forged addresses fills the queues of your services, which no ban can prevent",
        cure: setSysctl(NAME, 1),
      }),
    ];
  },
};

const NAME = "net.ipv4.tcp_syncookies";

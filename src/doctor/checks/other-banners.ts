import type { Check } from "../check.ts";
import { advice, fine } from "../finding.ts";
import { findProgram } from "../processes.ts";

/** Others that ban by the same logs. They may run beside Stoplog; who frees an address in one, has not freed it in the other. */
export const otherBanners: Check = {
  name: "other-banners",
  looksAt: "other programs that ban",
  find({ processes, daemon }) {
    const others = processes.filter(({ pid }) => pid !== daemon?.pid);
    const found = BANNERS.flatMap(({ name, programs, unit, imports }) => {
      const process = findProgram(others, programs);
      if (process === null) return [];
      return [
        advice({
          what: `${name} runs beside Stoplog (process ${process.pid})`,
          why: "Two that watch the same logs ban twice, and an address that is freed in one stays banned in the other",
          cure: [
            ...(imports === null
              ? []
              : [`# what it does as a configuration of Stoplog: stoplog import ${imports}`]),
            "# when Stoplog does its work:",
            `systemctl disable --now ${unit}`,
          ],
        }),
      ];
    });
    return found.length > 0 ? found : [fine("No other program that bans runs here")];
  },
};

interface Banner {
  readonly name: string;
  /** The names of its programs. */
  readonly programs: readonly string[];
  readonly unit: string;
  /** What `stoplog import` calls it; null where it knows it not. */
  readonly imports: string | null;
}

const BANNERS: readonly Banner[] = [
  { name: "fail2ban", programs: ["fail2ban-server"], unit: "fail2ban", imports: "fail2ban" },
  {
    name: "sshguard",
    programs: ["sshguard", "sshg-parser", "sshg-blocker"],
    unit: "sshguard",
    imports: null,
  },
  {
    name: "CrowdSec's bouncer",
    programs: ["crowdsec-firewall-bouncer", "crowdsec-firewa"],
    unit: "crowdsec-firewall-bouncer",
    imports: null,
  },
  { name: "DenyHosts", programs: ["denyhosts", "denyhosts.py"], unit: "denyhosts", imports: null },
  { name: "banban", programs: ["banban", "banban.pl"], unit: "banban", imports: "banban" },
  { name: "Swabber", programs: ["swabberd", "swabber"], unit: "swabber", imports: "swabber" },
  { name: "lfd of CSF", programs: ["lfd", "lfd.pl"], unit: "lfd", imports: null },
  { name: "reaction", programs: ["reaction"], unit: "reaction", imports: null },
];

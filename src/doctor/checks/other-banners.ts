import type { Check } from "../check.ts";
import { advice, fine } from "../finding.ts";
import { findProgram } from "../processes.ts";

/** Other programs that ban by the same logs. They can run beside Stoplog, but an unban in one leaves the ban of the other. */
export const otherBanners: Check = {
  name: "other-banners",
  title: "other programs that ban",
  reports: "fail2ban, sshguard, CrowdSec's bouncer, DenyHosts, banban, Swabber, lfd or reaction runs",
  look({ processes, daemon }) {
    const others = processes.filter(({ pid }) => pid !== daemon?.pid);
    const found = BANNERS.flatMap(({ name, programs, unit, imports, more = [] }) => {
      const process = findProgram(others, programs);
      if (process === null) return [];
      return [
        advice({
          what: `${name} runs beside Stoplog (process ${process.pid})`,
          why: "Both ban the same addresses, and an address that one unbans stays banned by the other",
          cure: [
            ...(imports === null ? [] : [`# its configuration for Stoplog: stoplog import ${imports}`]),
            "# once Stoplog does its work:",
            ...more,
            `systemctl disable --now ${unit}`,
          ],
        }),
      ];
    });
    return found.length > 0 ? found : [fine("No other banning program runs")];
  },
};

interface Banner {
  readonly name: string;
  /** Names of its programs. */
  readonly programs: readonly string[];
  readonly unit: string;
  /** Its name for `stoplog import`; null when that cannot import it. */
  readonly imports: string | null;
  /** Commands before its end. */
  readonly more?: readonly string[];
}

const BANNERS: readonly Banner[] = [
  {
    name: "fail2ban",
    programs: ["fail2ban-server"],
    unit: "fail2ban",
    imports: "fail2ban",
    more: ["stoplog adopt fail2ban"],
  },
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

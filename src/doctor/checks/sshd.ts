import type { Check } from "../check.ts";
import { writeFile } from "../cure.ts";
import { advice, type Finding, fine, trouble } from "../finding.ts";
import { readSshd } from "../sshd-settings.ts";
import { type Situation, sourcesOf } from "../situation.ts";

/** What sshd does not log, or logs late, nobody can be banned for. */
export const sshd: Check = {
  name: "sshd",
  looksAt: "what sshd logs",
  find(situation) {
    if (situation.config?.jails.every(({ filter }) => filter?.name !== "sshd") ?? true) return [];
    const settings = readSshd(situation.host);
    if (settings === null) return [];
    const found = [...quiet(settings), ...elsewhere(settings, situation), ...slow(settings)];
    return found.length > 0 ? found : [fine("sshd logs who fails")];
  },
};

type Settings = ReadonlyMap<string, string>;

/** Read before all other files, where the first value counts. */
const DROP_IN = "/etc/ssh/sshd_config.d/00-stoplog.conf";
const RELOAD = "sshd -t && { systemctl reload ssh || systemctl reload sshd; }";

function quiet(settings: Settings): Finding[] {
  const level = settings.get("loglevel")?.toUpperCase() ?? "INFO";
  if (!["QUIET", "FATAL", "ERROR"].includes(level)) return [];
  return [
    trouble({
      what: `sshd does not log who fails: LogLevel ${level}`,
      why: "Failed passwords and unknown users are logged at INFO: the jail sees none of them",
      cure: [...writeFile(DROP_IN, ["LogLevel INFO"]), RELOAD],
    }),
  ];
}

function elsewhere(settings: Settings, situation: Situation): Finding[] {
  const facility = settings.get("syslogfacility")?.toUpperCase() ?? "AUTH";
  const path = sourcesOf(situation, "file")
    .flatMap(({ path: paths }) => paths)
    .find((name) => name === "/var/log/auth.log" || name === "/var/log/secure");
  if (path === undefined || facility === "AUTH" || facility === "AUTHPRIV") return [];
  return [
    advice({
      what: `sshd logs to the facility ${facility}`,
      why: `A syslog daemon writes AUTH and AUTHPRIV into ${path}, and others elsewhere, unless it was told otherwise`,
      cure: [...writeFile(DROP_IN, ["SyslogFacility AUTH"]), RELOAD],
    }),
  ];
}

function slow(settings: Settings): Finding[] {
  if (settings.get("usedns")?.toLowerCase() !== "yes") return [];
  return [
    advice({
      what: "sshd looks up the name of each client: UseDNS yes",
      why: "Who owns a slow name server delays the log-in, the line about its failure, and the ban",
      cure: [...writeFile(DROP_IN, ["UseDNS no"]), RELOAD],
    }),
  ];
}

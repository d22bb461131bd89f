import { file } from "../../source/file/kind.ts";
import type { Check } from "../check.ts";
import { quoted } from "../cure.ts";
import { advice, type Finding, fine, trouble } from "../finding.ts";
import { readSshd, type SshdSetting } from "../sshd-settings.ts";
import { type Situation, sourcesOf } from "../situation.ts";

/** Failures that sshd does not log, or logs late, cannot lead to bans in time. */
export const sshd: Check = {
  name: "sshd",
  title: "what sshd logs",
  reports: "`LogLevel` hides failures, `SyslogFacility` sends them elsewhere, `UseDNS` delays them",
  look(situation) {
    if (situation.config?.jails.every(({ filter }) => filter?.name !== "sshd") ?? true) return [];
    const settings = readSshd(situation.host);
    if (settings === null) return [];
    const found = [...quiet(settings), ...elsewhere(settings, situation), ...slow(settings)];
    return found.length > 0 ? found : [fine("sshd logs failures")];
  },
};

type Settings = ReadonlyMap<string, SshdSetting>;

/** Changes the first occurrence, in its file: that is the one that counts. */
function set(keyword: string, value: string, { path }: SshdSetting): readonly string[] {
  return [
    `sed -i -E '0,/^[[:space:]]*${keyword}[[:space:]=].*/Is//${keyword} ${value}/' ${quoted(path)}`,
    "sshd -t && { systemctl reload ssh || systemctl reload sshd; }",
  ];
}

function quiet(settings: Settings): Finding[] {
  const setting = settings.get("loglevel");
  const level = setting?.value.toUpperCase() ?? "INFO";
  if (setting === undefined || !["QUIET", "FATAL", "ERROR"].includes(level)) return [];
  return [
    trouble({
      what: `sshd does not log failures: LogLevel ${level}`,
      why: "sshd logs failed passwords and unknown users at INFO: the jail sees none of them",
      cure: set("LogLevel", "INFO", setting),
    }),
  ];
}

function elsewhere(settings: Settings, situation: Situation): Finding[] {
  const setting = settings.get("syslogfacility");
  const facility = setting?.value.toUpperCase() ?? "AUTH";
  const path = sourcesOf(situation, file)
    .flatMap(({ path: paths }) => paths)
    .find((name) => name === "/var/log/auth.log" || name === "/var/log/secure");
  if (setting === undefined || path === undefined || facility === "AUTH" || facility === "AUTHPRIV")
    return [];
  return [
    advice({
      what: `sshd logs to the facility ${facility}`,
      why: `By default, syslog daemons write only AUTH and AUTHPRIV to ${path}`,
      cure: set("SyslogFacility", "AUTH", setting),
    }),
  ];
}

function slow(settings: Settings): Finding[] {
  const setting = settings.get("usedns");
  if (setting?.value.toLowerCase() !== "yes") return [];
  return [
    advice({
      what: "sshd resolves the host name of each client: UseDNS yes",
      why: "A slow name server of an attacker delays the login, its log line, and the ban",
      cure: set("UseDNS", "no", setting),
    }),
  ];
}

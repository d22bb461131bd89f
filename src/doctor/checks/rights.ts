import { kindOf } from "../../enforce/kinds.ts";
import { kindOf as kindOfSource } from "../../source/kinds.ts";
import type { Check } from "../check.ts";
import { quoted } from "../cure.ts";
import { advice, type Finding, fine, trouble } from "../finding.ts";
import { CAP_NET_ADMIN, holds, type Rights } from "../processes.ts";
import { serviceUnit, type Situation, usedSources, usedTargets } from "../situation.ts";

/** Enough rights to ban, and not more. */
export const rights: Check = {
  name: "rights",
  title: "Stoplog's rights",
  reports: "CAP_NET_ADMIN is missing; it runs as root under systemd without need",
  look(situation) {
    const { rights: held } = situation;
    if (situation.config === null || held === null) return [];
    const found = [...tooFew(situation, held), ...tooMany(situation, held)];
    return found.length > 0 ? found : [fine("Stoplog has the rights it needs")];
  },
};

function tooFew(situation: Situation, held: Rights): Finding[] {
  if (holds(held, CAP_NET_ADMIN)) return [];
  const users = [
    ...usedTargets(situation.config)
      .filter((target) => kindOf(target).needs(target).netAdmin === true)
      .map(({ name }) => `target ${name} cannot ban`),
    ...(situation.config?.lists ?? []).map(({ name }) => `list ${name} stops nothing`),
    ...usedSources(situation)
      .filter((source) => kindOfSource(source).needs(source).netAdmin === true)
      .map((source) => `source ${source.name} gets no ${kindOfSource(source).gives}`),
  ];
  if (users.length === 0) return [];
  const what =
    situation.daemon === null
      ? `User ${held.uid} cannot change the firewall: CAP_NET_ADMIN is missing`
      : `The daemon (process ${situation.daemon.pid}) cannot change the firewall: CAP_NET_ADMIN is missing`;
  const why = `${users[0]?.charAt(0).toUpperCase()}${[...new Set(users)].join("; ").slice(1)}`;
  return [trouble({ what, why, cure: asService(situation) })];
}

/** The package's unit runs the daemon as an ordinary user with this one capability. */
function asService({ host }: Situation): readonly string[] {
  const unit = serviceUnit(host);
  if (unit !== null) {
    return [
      `# in ${unit}: User=stoplog, AmbientCapabilities=CAP_NET_ADMIN, CapabilityBoundingSet=CAP_NET_ADMIN, NoNewPrivileges=yes`,
      "systemctl daemon-reload",
      "systemctl restart stoplog",
    ];
  }
  if (host.stat("/run/systemd/system") === null) return ["# run it as root: stoplog run"];
  return [
    `install -m 644 ${quoted(`${host.facts.packageRoot}/packaging/stoplog.service`)} /etc/systemd/system/`,
    "useradd --system --home-dir /var/lib/stoplog --shell /usr/sbin/nologin stoplog",
    "systemctl daemon-reload",
    "systemctl enable --now stoplog",
  ];
}

/** Reported under systemd only: elsewhere nothing at hand can drop the rights. */
function tooMany(situation: Situation, held: Rights): Finding[] {
  const { daemon, host } = situation;
  if (daemon === null || held.uid !== 0 || host.stat("/run/systemd/system") === null) return [];
  if (usedSources(situation).some((source) => kindOfSource(source).needs(source).root === true)) return [];
  if (usedTargets(situation.config).some((target) => kindOf(target).needs(target).root === true)) return [];
  return [
    advice({
      what: `Stoplog runs as root${held.noNewPrivileges ? "" : ", and without NoNewPrivileges"}`,
      why: "It reads text that attackers write; this configuration needs only CAP_NET_ADMIN and the group of the logs",
      cure: asService(situation),
    }),
  ];
}

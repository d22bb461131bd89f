import type { Check } from "../check.ts";
import { quoted } from "../cure.ts";
import { advice, type Finding, fine, trouble } from "../finding.ts";
import type { Host } from "../host.ts";
import { serviceUnit, type Situation } from "../situation.ts";

/** What the daemon itself says that hinders it, and who may give it orders. */
export const daemon: Check = {
  name: "daemon",
  looksAt: "the daemon",
  find(situation) {
    const found = [
      ...idle(situation),
      ...stopped(situation),
      ...orders(situation),
      ...ownWarnings(situation),
    ];
    if (found.length > 0) return found;
    if (situation.daemon === null) return [];
    return [
      fine(
        `Stoplog ${situation.daemon.version} runs (process ${situation.daemon.pid}) and has no complaint${masters(situation)}`,
      ),
    ];
  },
};

function idle({ config }: Situation): Finding[] {
  if (config === null || config.jails.length + config.lists.length + config.origins.length > 0) return [];
  return [
    trouble({
      what: "Nothing is watched: the configuration has no jail, no list and no origin of orders",
      why: config.notes.at(-1) ?? "Nobody is banned but by hand",
      cure: ["# write one: docs/examples/stoplog.yaml has the most common jails", "stoplog check"],
    }),
  ];
}

/** A unit that is to start with the machine, and no daemon that answers. */
function stopped({ host, daemon: running }: Situation): Finding[] {
  if (running !== null || serviceUnit(host) === null || host.stat(WANTED) === null) return [];
  if (host.stat("/run/systemd/system") === null) return [];
  return [
    trouble({
      what: "The service stoplog is enabled, and no daemon answers",
      why: "Nobody is banned",
      cure: ["systemctl status stoplog", "journalctl -u stoplog -n 20", "systemctl restart stoplog"],
    }),
  ];
}

const WANTED = "/etc/systemd/system/multi-user.target.wants/stoplog.service";

/** Whoever may write to the socket may ban and free anybody. */
function orders({ host, socket }: Situation): Finding[] {
  const file = host.stat(socket);
  if (file?.kind !== "socket" || (file.mode & 0o002) === 0) return [];
  const above = host.stat(socket.slice(0, socket.lastIndexOf("/")) || "/");
  // Nobody gets at it through a folder that is closed.
  if (above !== null && (above.mode & 0o001) === 0) return [];
  return [
    trouble({
      what: `Every user of this machine may write to the control socket ${socket} (mode ${file.mode.toString(8)})`,
      why: "Each of them may ban and free anybody",
      cure: [`chmod 660 ${quoted(socket)}`],
    }),
  ];
}

/** Who else than root may give it orders, for the sentence that all is well. */
function masters({ host, socket }: Situation): string {
  const file = host.stat(socket);
  if (file === null) return "";
  const user = file.uid === 0 ? [] : [`user ${nameOf(host, "/etc/passwd", file.uid)}`];
  const group = (file.mode & 0o020) === 0 ? [] : [`group ${nameOf(host, "/etc/group", file.gid)}`];
  return `; it takes orders from ${["root", ...user, ...group].join(", ")}`;
}

function nameOf(host: Host, path: string, id: number): string {
  const fields = (host.read(path) ?? "").split("\n").map((line) => line.split(":"));
  return fields.find(([, , number]) => number === String(id))?.[0] ?? String(id);
}

/** Its configuration's notes are no warnings of this kind: `stoplog check` prints them. */
function ownWarnings({ daemon: running, config }: Situation): Finding[] {
  if (running === null) return [];
  const notes = new Set(config?.notes);
  const warnings = running.warnings
    .filter((warning) => !notes.has(warning))
    .map((warning) => trouble({ what: warning, why: "The daemon says so itself", cure: ["stoplog status"] }));
  if (!running.dryRun) return warnings;
  return [
    advice({
      what: "The daemon runs dry: it decides and enforces nothing",
      why: "Nobody is banned",
      cure: ["# start it without --dry-run, or give it the rights that it needs: its log says which"],
    }),
    ...warnings,
  ];
}

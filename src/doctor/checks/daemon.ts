import type { Check } from "../check.ts";
import { quoted } from "../cure.ts";
import { advice, type Finding, fine, trouble } from "../finding.ts";
import type { Host } from "../host.ts";
import { serviceUnit, type Situation } from "../situation.ts";

/** The daemon's own warnings, and the users that can give it orders. */
export const daemon: Check = {
  name: "daemon",
  title: "the daemon",
  reports:
    "the daemon has a warning or runs with `--dry-run`; its service is enabled and does not answer; every user can write to its control socket; the configuration has no jail, list or origin",
  look(situation) {
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
        `Stoplog ${situation.daemon.version} runs (process ${situation.daemon.pid}) and reports no problem${masters(situation)}`,
      ),
    ];
  },
};

function idle({ config, host }: Situation): Finding[] {
  if (config === null || config.jails.length + config.lists.length + config.origins.length > 0) return [];
  return [
    trouble({
      what: "The configuration has no jail, no list and no origin of orders",
      why: config.notes.at(-1) ?? "Only bans by hand",
      cure: [
        `# write one: ${host.facts.packageRoot}/docs/examples/stoplog.yaml has common jails`,
        "stoplog check",
      ],
    }),
  ];
}

/** The service is enabled and no daemon answers. */
function stopped({ host, daemon: running }: Situation): Finding[] {
  if (running !== null || serviceUnit(host) === null || host.stat(WANTED) === null) return [];
  if (host.stat("/run/systemd/system") === null) return [];
  return [
    trouble({
      what: "The service stoplog is enabled, but no daemon answers",
      why: "Nothing is banned",
      cure: ["systemctl status stoplog", "journalctl -u stoplog -n 20", "systemctl restart stoplog"],
    }),
  ];
}

const WANTED = "/etc/systemd/system/multi-user.target.wants/stoplog.service";

/** Write access to the control socket means the right to ban and unban any address. */
function orders({ host, socket }: Situation): Finding[] {
  const file = host.stat(socket);
  if (file?.kind !== "socket" || (file.mode & 0o002) === 0) return [];
  const above = host.stat(socket.slice(0, socket.lastIndexOf("/")) || "/");
  // A closed directory protects the socket.
  if (above !== null && (above.mode & 0o001) === 0) return [];
  return [
    trouble({
      what: `Every user of this machine can write to the control socket ${socket} (mode ${file.mode.toString(8)})`,
      why: "Each of them can ban and unban any address",
      cure: [`chmod 660 ${quoted(socket)}`],
    }),
  ];
}

/** The users and groups that can give it orders, for the sentence that all is well. */
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

function mend({ facts: { packageRoot } }: Host): readonly string[] {
  return [
    `# mend what the sentence names; Stoplog tries again by itself (${packageRoot}/docs/guide/trouble.md)`,
    "stoplog status",
  ];
}

/** Without the notes of its configuration, which `stoplog check` prints. */
function ownWarnings({ daemon: running, config, host }: Situation): Finding[] {
  if (running === null) return [];
  const notes = new Set(config?.notes);
  const warnings = running.warnings
    .filter((warning) => !notes.has(warning))
    .map((warning) => trouble({ what: warning, why: "The daemon reports it", cure: mend(host) }));
  if (!running.dryRun) return warnings;
  return [
    advice({
      what: "The daemon runs with --dry-run: it decides, and enforces nothing",
      why: "Nothing is banned",
      cure: ["# start it without --dry-run, or give it the rights that its log names"],
    }),
    ...warnings,
  ];
}

import { DAY } from "../../core/time.ts";
import { counted } from "../../core/wording.ts";
import { file } from "../../source/file/kind.ts";
import type { Check } from "../check.ts";
import { quoted } from "../cure.ts";
import { advice, type Finding, fine, trouble } from "../finding.ts";
import type { Host } from "../host.ts";
import { type Rotation, readRotations } from "../logrotate.ts";
import { mountOf } from "../mounts.ts";
import { type Situation, sourcesOf } from "../situation.ts";
import { SYSLOG_FILES } from "./syslog-files.ts";

/** The files of sources: present, readable, still written, rotated without loss, on a local disk. */
export const logFiles: Check = {
  name: "log-files",
  title: "log files",
  reports:
    "a file is missing, unreadable, without new lines for a week, rotated with `copytruncate`, or on a network file system",
  look(situation) {
    const { host } = situation;
    const sources = sourcesOf(situation, file);
    if (sources.length === 0) return [];
    const rotations = readRotations(host);
    let present = 0;
    const found = sources.flatMap(({ name, path }) => {
      const paths = [path].flat();
      const files = paths.flatMap((glob) => host.find(glob));
      present += files.length;
      if (files.length === 0) return [missing(name, paths)];
      return files
        .slice(0, MOST_FILES)
        .flatMap((file) => [
          ...unreadable(situation, file),
          ...silent(host, name, file),
          ...remote(host, name, file),
          ...copied(rotations, file),
        ]);
    });
    return found.length > 0 ? found : [fine(`${counted(present, "log file")} can be read and followed`)];
  },
};

/** For each source. */
const MOST_FILES = 64;

function missing(source: string, paths: readonly string[]): Finding {
  return trouble({
    what: `No file matches source ${source}: ${paths.join(", ")}`,
    why: "Its jails see nothing until a file appears",
    cure: [
      "# existing logs:",
      `ls -l ${[...new Set(paths.map((path) => quoted(folderOf(path))))].join(" ")}`,
      "# if the service logs to the journal: a source of type journal",
    ],
  });
}

/** The directory before the first wildcard. */
function folderOf(path: string): string {
  const plain = path.split(/[*?[{\\]/)[0] ?? "/";
  return plain.slice(0, plain.lastIndexOf("/")) || "/";
}

/** A running daemon reports unreadable files itself. */
function unreadable({ host, daemon, rights }: Situation, file: string): Finding[] {
  if (daemon !== null || rights === null || host.canRead(file)) return [];
  return [
    trouble({
      what: `User ${host.facts.uid} cannot read ${file}`,
      why: "Stoplog, run by this user, reads nothing from it",
      cure: [`ls -l ${quoted(file)}`, "# run as root, or as a user of the file's group (Debian: adm)"],
    }),
  ];
}

function silent(host: Host, source: string, file: string): Finding[] {
  const changedAt = host.stat(file)?.changedAt ?? host.facts.now;
  const days = Math.floor((host.facts.now - changedAt) / DAY);
  if (!SYSLOG_FILES.has(file) || days < LONG_SILENCE) return [];
  const journal = JOURNALS.some((folder) => host.list(folder).length > 0);
  return [
    trouble({
      what: `${file} has not been written for ${days} days`,
      why: `Many programs normally log there every hour: the file appears abandoned, and source ${source} sees nothing`,
      cure: journal
        ? [
            `# in the configuration, instead: ${source}: { type: journal, units: [ssh.service] }`,
            "# or have a syslog daemon write the file:",
            "apt-get install rsyslog",
          ]
        : ["# is a syslog daemon running?", "systemctl status rsyslog syslog-ng"],
    }),
  ];
}

const LONG_SILENCE = 7;
const JOURNALS = ["/var/log/journal", "/run/log/journal"];

function remote(host: Host, source: string, file: string): Finding[] {
  const mount = mountOf(host, file);
  if (mount === null || !REMOTE.test(mount.type)) return [];
  return [
    advice({
      what: `${file} is on a network file system (${mount.type} at ${mount.point})`,
      why: `This machine gets no notice of writes by others, so source ${source} polls the file, and bans are late`,
      cure: [
        "# run Stoplog where the log is written, or have its lines sent by syslog: a source of type syslog",
      ],
    }),
  ];
}

const REMOTE = /^(nfs4?|cifs|smb3|9p|afs|ceph|fuse\.(sshfs|glusterfs|s3fs|rclone|ceph))$/;

function copied(rotations: readonly Rotation[], file: string): Finding[] {
  const rotation = rotations.find((each) => each.copies && each.rotates(file));
  if (rotation === undefined) return [];
  return [
    advice({
      what: `${file} is rotated with copytruncate (${rotation.path})`,
      why: "Lines written between the copy and the truncation are lost, unless Stoplog has read them in time",
      cure: [
        `# in ${rotation.path}: create instead of copytruncate, and in postrotate the command that makes the service reopen its log`,
      ],
    }),
  ];
}

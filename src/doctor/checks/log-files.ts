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

/** The files that sources follow: there, readable, still written, rotated without loss, on a disk of this machine. */
export const logFiles: Check = {
  name: "log-files",
  looksAt: "log files",
  find(situation) {
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

/** Of one source. */
const MOST_FILES = 64;

function missing(source: string, paths: readonly string[]): Finding {
  return trouble({
    what: `There is no file for source ${source}: ${paths.join(", ")}`,
    why: "Its jails see nothing until one appears",
    cure: [
      "# which logs there are:",
      `ls -l ${[...new Set(paths.map((path) => quoted(folderOf(path))))].join(" ")}`,
      "# where the service logs to the journal instead: a source of type journal",
    ],
  });
}

/** Without what stands behind the first wildcard. */
function folderOf(path: string): string {
  const plain = path.split(/[*?[{\\]/)[0] ?? "/";
  return plain.slice(0, plain.lastIndexOf("/")) || "/";
}

/** A daemon that runs says itself what it may not read. */
function unreadable({ host, daemon, rights }: Situation, file: string): Finding[] {
  if (daemon !== null || rights === null || host.canRead(file)) return [];
  return [
    trouble({
      what: `${file} may not be read by user ${host.facts.uid}`,
      why: "Stoplog, run by this user, sees no line of it",
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
      why: `Many programs write there, some of them each hour: nobody seems to write it any more, and source ${source} sees nothing`,
      cure: journal
        ? [
            `# in the configuration, instead: ${source}: { type: journal, units: [ssh.service] }`,
            "# or have the file written again:",
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
      what: `${file} lies on a network file system (${mount.type} at ${mount.point})`,
      why: `What others write there is not told to this machine, so source ${source} looks for it by a timer, and a ban comes later`,
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
      why: "Lines that are written between the copy and the cut are lost to everybody; Stoplog reads them only if it was quicker",
      cure: [
        `# in ${rotation.path}: create instead of copytruncate, and in postrotate whatever makes the service open its log anew`,
      ],
    }),
  ];
}

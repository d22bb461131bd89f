import { dirname } from "node:path";
import { bytesWords, counted } from "../../core/wording.ts";
import type { Check } from "../check.ts";
import { quoted } from "../cure.ts";
import { advice, type Finding, fine, trouble } from "../finding.ts";
import type { Host } from "../host.ts";
import { mountOf } from "../mounts.ts";

/** The state directory, which keeps bans, counters and read positions: it has free space, and only Stoplog can write to it. */
export const stateDirectory: Check = {
  name: "state-directory",
  title: "the state directory",
  reports: "there is none, or it is full, read-only, writable by others, or another user's",
  look({ host, config, rights }) {
    if (config === null) return [];
    const folder = config.stateDirectory;
    if (folder === null) {
      // The built-in configuration has none for an ordinary user, and takes none.
      if (config.path === null) return [];
      return [
        advice({
          what: "State does not survive a restart: the configuration has no state directory",
          why: "After a restart of Stoplog, bans and read positions are lost",
          cure: ["# in the configuration: state: /var/lib/stoplog"],
        }),
      ];
    }
    const place = nearest(host, folder);
    const found = [
      ...full(host, folder, place),
      ...readOnly(host, folder, place),
      ...open(host, folder, rights?.uid ?? null),
    ];
    return found.length > 0 ? found : [fine(`${folder} has free space, and only Stoplog can write to it`)];
  },
};

/** The directory, or the part of its path that exists: the daemon creates the rest. */
function nearest(host: Host, folder: string): string {
  let place = folder;
  while (place !== "/" && host.stat(place) === null) place = place.slice(0, place.lastIndexOf("/")) || "/";
  return place;
}

function full(host: Host, folder: string, place: string): Finding[] {
  const space = host.space(place);
  if (space === null || (space.free >= ENOUGH && (space.freeFiles ?? 1000) >= 100)) return [];
  const lacks =
    space.free < ENOUGH
      ? `${bytesWords(space.free)} are left`
      : `only ${counted(space.freeFiles ?? 0, "file")} can be created`;
  return [
    trouble({
      what: `The disk of ${folder} is nearly full: ${lacks}`,
      why: "Bans and read positions cannot be saved: a restart loses them",
      cure: [`df -h ${quoted(place)}; df -i ${quoted(place)}`, `du -xh --max-depth=2 /var | sort -h | tail`],
    }),
  ];
}

/** The ban journal is rewritten beside itself now and then. */
const ENOUGH = 64 * 1024 * 1024;

function readOnly(host: Host, folder: string, place: string): Finding[] {
  const mount = mountOf(host, place);
  if (mount === null || !mount.isReadOnly) return [];
  return [
    trouble({
      what: `${folder} is on a read-only file system (${mount.point})`,
      why: "Bans and read positions cannot be saved",
      cure: [
        `mount -o remount,rw ${quoted(mount.point)}`,
        "# or in the configuration: state: another directory",
      ],
    }),
  ];
}

function open(host: Host, folder: string, uid: number | null): Finding[] {
  const stat = host.stat(folder);
  if (stat === null) return [];
  if (stat.kind !== "folder") {
    return [
      trouble({
        what: `${folder} is not a directory`,
        why: "Bans and read positions cannot be saved",
        cure: [`mv ${quoted(folder)} ${quoted(`${folder}.old`)}`],
      }),
    ];
  }
  if ((stat.mode & 0o022) !== 0) {
    return [
      trouble({
        what: `Others than its owner can write to ${folder} (mode ${stat.mode.toString(8)})`,
        why: "A user with write access can ban and unban any address at the next start",
        cure: [`chmod 700 ${quoted(folder)}`],
      }),
    ];
  }
  const above = openFolderAbove(host, folder);
  if (above !== null) {
    return [
      trouble({
        what: `Every user can replace ${folder}: ${above.path} has mode ${above.mode.toString(8)}`,
        why: "A user with write access can ban and unban any address at the next start",
        cure: [`chmod o-w ${quoted(above.path)}`],
      }),
    ];
  }
  if (uid === null || uid === 0 || stat.uid === uid) return [];
  return [
    trouble({
      what: `${folder} belongs to user ${stat.uid}, but Stoplog runs as user ${uid}`,
      why: "Bans and read positions cannot be saved",
      cure: [`chown -R ${uid} ${quoted(folder)}`],
    }),
  ];
}

/** A folder above in which every user can rename entries; null when there is none. */
function openFolderAbove(
  host: Host,
  folder: string,
): { readonly path: string; readonly mode: number } | null {
  for (let path = dirname(folder); ; path = dirname(path)) {
    const mode = host.stat(path)?.mode ?? 0;
    if ((mode & 0o1002) === 0o0002) return { path, mode };
    if (path === dirname(path)) return null;
  }
}

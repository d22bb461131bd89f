import { bytesWords, counted } from "../../core/wording.ts";
import type { Check } from "../check.ts";
import { quoted } from "../cure.ts";
import { advice, type Finding, fine, trouble } from "../finding.ts";
import type { Host } from "../host.ts";
import { mountOf } from "../mounts.ts";

/** Where bans, counters and read positions survive a restart: room for them, and nobody else who may write there. */
export const stateDirectory: Check = {
  name: "state-directory",
  looksAt: "the state directory",
  find({ host, config, rights }) {
    if (config === null) return [];
    const folder = config.stateDirectory;
    if (folder === null) {
      // The built-in configuration has none for an ordinary user, and cannot be given one.
      if (config.path === null) return [];
      return [
        advice({
          what: "Nothing is kept over a restart: the configuration has no state directory",
          why: "After a restart of Stoplog nobody knows who was banned before, nor how far logs were read",
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
    return found.length > 0 ? found : [fine(`${folder} has room, and nobody else may write there`)];
  },
};

/** The folder itself, or what is there of the way to it: the daemon makes the rest. */
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
      : `only ${counted(space.freeFiles ?? 0, "file")} can be made`;
  return [
    trouble({
      what: `The disk that holds ${folder} is nearly full: ${lacks}`,
      why: "Bans and read positions cannot be saved, and a restart opens a gap",
      cure: [`df -h ${quoted(place)}; df -i ${quoted(place)}`, `du -xh --max-depth=2 /var | sort -h | tail`],
    }),
  ];
}

/** The journal of bans is written anew beside itself now and then. */
const ENOUGH = 64 * 1024 * 1024;

function readOnly(host: Host, folder: string, place: string): Finding[] {
  const mount = mountOf(host, place);
  if (mount === null || !mount.isReadOnly) return [];
  return [
    trouble({
      what: `${folder} lies on a file system that is read-only (${mount.point})`,
      why: "Bans and read positions cannot be saved",
      cure: [
        `mount -o remount,rw ${quoted(mount.point)}`,
        "# or in the configuration: state: another folder",
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
        what: `${folder} is not a folder`,
        why: "Bans and read positions cannot be saved",
        cure: [`mv ${quoted(folder)} ${quoted(`${folder}.old`)}`],
      }),
    ];
  }
  if ((stat.mode & 0o022) !== 0) {
    return [
      trouble({
        what: `${folder} may be written by others than its owner (mode ${stat.mode.toString(8)})`,
        why: "Whoever may write there bans and frees whom they like at the next start",
        cure: [`chmod 700 ${quoted(folder)}`],
      }),
    ];
  }
  if (uid === null || uid === 0 || stat.uid === uid) return [];
  return [
    trouble({
      what: `${folder} belongs to user ${stat.uid}, and Stoplog runs as user ${uid}`,
      why: "Bans and read positions cannot be saved",
      cure: [`chown -R ${uid} ${quoted(folder)}`],
    }),
  ];
}

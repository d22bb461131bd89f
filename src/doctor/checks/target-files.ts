import { dirname } from "node:path";
import { kindOf } from "../../enforce/kinds.ts";
import type { Check } from "../check.ts";
import { quoted } from "../cure.ts";
import { type Finding, fine, trouble } from "../finding.ts";
import { type Situation, usedTargets } from "../situation.ts";

/** Files that targets replace. The new file is written beside the old one, so it is the directory that must be writable. */
export const targetFiles: Check = {
  name: "target-files",
  title: "files that bans are written to",
  reports: "Stoplog cannot write to the directory of a file that a target replaces",
  look(situation) {
    const files = usedTargets(situation.config).flatMap((target) =>
      (kindOf(target).needs(target).replaces ?? []).map((path) => ({ target: target.name, path })),
    );
    if (files.length === 0 || situation.rights === null) return [];
    const { uid } = situation.rights;
    const found = files.flatMap((file) => notWritable(file, uid, situation));
    return found.length > 0 ? found : [fine("Stoplog can write the files of its targets")];
  },
};

interface TargetFile {
  readonly target: string;
  readonly path: string;
}

/** A directory that a group may write to counts as writable: the daemon's groups are not known here. */
function notWritable({ target, path }: TargetFile, uid: number, { host }: Situation): Finding[] {
  const directory = dirname(path);
  const facts = host.stat(directory);
  if (facts === null)
    return [
      trouble({
        what: `There is no directory ${directory}, where target ${target} writes its bans`,
        why: `Target ${target} cannot ban`,
        cure: [`install -d -o ${uid} ${quoted(directory)}`],
      }),
    ];
  if (uid === 0 || (facts.mode & (facts.uid === uid ? 0o200 : 0o022)) !== 0) return [];
  return [
    trouble({
      what: `User ${uid} cannot write to ${directory}, where target ${target} replaces ${path}`,
      why: `Target ${target} cannot ban`,
      cure: ["# in the configuration, name a path in a directory of Stoplog's own, such as /var/lib/stoplog"],
    }),
  ];
}

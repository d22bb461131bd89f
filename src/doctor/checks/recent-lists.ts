import { countWords } from "../../core/wording.ts";
import { recent, type RecentTarget } from "../../enforce/recent/kind.ts";
import { recentRules } from "../../enforce/recent/rules.ts";
import type { Check } from "../check.ts";
import { quoted, writeFile } from "../cure.ts";
import { type Finding, fine, trouble } from "../finding.ts";
import { type Host, readNumber } from "../host.ts";
import { type Situation, targetsOf } from "../situation.ts";

/** Lists of xt_recent that targets use: they exist, are large enough, and Stoplog can write to them. */
export const recentLists: Check = {
  name: "recent-lists",
  title: "lists of xt_recent",
  reports: "a list of xt_recent is missing, not writable, or holds fewer than 10,000 addresses",
  look(situation) {
    const targets = targetsOf(situation, recent);
    if (targets.length === 0) return [];
    const found = [
      ...tooSmall(situation.host),
      ...targets.flatMap((target) => [
        ...(situation.host.stat(fileOf(target.list)) === null
          ? missing(target)
          : closed(target.list, situation)),
      ]),
    ];
    return found.length > 0 ? found : [fine("The lists of xt_recent exist and are large enough")];
  },
};

const TOTAL = "/sys/module/xt_recent/parameters/ip_list_tot";

/** In a smaller list, a flood evicts new bans at once. */
const ENOUGH = 10_000;

function tooSmall(host: Host): Finding[] {
  const total = readNumber(host, TOTAL);
  if (total === null || total >= ENOUGH) return [];
  return [
    trouble({
      what: `Lists of xt_recent hold only ${countWords(total)} addresses`,
      why: "The kernel silently drops the oldest ban for each new one",
      cure: [
        ...writeFile("/etc/modprobe.d/xt_recent.conf", ["options xt_recent ip_list_tot=65536"]),
        "# reload the module: remove the rules that use it, then add them again; or reboot",
        "modprobe -r xt_recent && modprobe xt_recent",
      ],
    }),
  ];
}

function fileOf(list: string): string {
  return `/proc/net/xt_recent/${list}`;
}

function missing(target: RecentTarget): Finding[] {
  return [
    trouble({
      what: `The list ${target.list} of xt_recent does not exist`,
      why: `A list exists while a rule names it; until then target ${target.name} bans nothing`,
      cure: recentRules(target),
    }),
  ];
}

/** They belong to root, unless a module parameter names another owner. */
function closed(list: string, { host, rights }: Situation): Finding[] {
  const path = fileOf(list);
  const file = host.stat(path);
  if (file === null || rights === null || rights.uid === 0) return [];
  if (file.uid === rights.uid ? (file.mode & 0o200) !== 0 : (file.mode & 0o002) !== 0) return [];
  return [
    trouble({
      what: `User ${rights.uid}, as which Stoplog runs, cannot write to the list ${list} of xt_recent`,
      why: "No ban can be added",
      cure: [`chown ${rights.uid} ${quoted(path)}  # until the rule is added again`],
    }),
  ];
}

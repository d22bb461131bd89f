import { countWords } from "../../core/wording.ts";
import { recent, type RecentTarget } from "../../enforce/recent/kind.ts";
import { recentRules } from "../../enforce/recent/rules.ts";
import type { Check } from "../check.ts";
import { quoted, writeFile } from "../cure.ts";
import { type Finding, fine, trouble } from "../finding.ts";
import { type Host, readNumber } from "../host.ts";
import { type Situation, targetsOf } from "../situation.ts";

/** Lists of xt_recent, where a target uses them: there at all, large enough, and open to Stoplog. */
export const recentLists: Check = {
  name: "recent-lists",
  looksAt: "lists of xt_recent",
  find(situation) {
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
    return found.length > 0 ? found : [fine("The lists of xt_recent are there and hold enough")];
  },
};

const TOTAL = "/sys/module/xt_recent/parameters/ip_list_tot";

/** With fewer places, a flood makes the kernel forget whom it has just been told. */
const ENOUGH = 10_000;

function tooSmall(host: Host): Finding[] {
  const total = readNumber(host, TOTAL);
  if (total === null || total >= ENOUGH) return [];
  return [
    trouble({
      what: `Lists of xt_recent hold ${countWords(total)} addresses`,
      why: "The kernel forgets the oldest ban for each new one, and says nothing",
      cure: [
        ...writeFile("/etc/modprobe.d/xt_recent.conf", ["options xt_recent ip_list_tot=65536"]),
        "# the module must be loaded anew: take away the rules that use it, then put them back, or restart the machine",
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
      what: `There is no list ${target.list} of xt_recent`,
      why: `The kernel has a list while a rule names it; until then target ${target.name} bans nobody`,
      cure: recentRules(target),
    }),
  ];
}

/** The kernel gives them to root, unless the module was told another owner. */
function closed(list: string, { host, rights }: Situation): Finding[] {
  const path = fileOf(list);
  const file = host.stat(path);
  if (file === null || rights === null || rights.uid === 0) return [];
  if (file.uid === rights.uid ? (file.mode & 0o200) !== 0 : (file.mode & 0o002) !== 0) return [];
  return [
    trouble({
      what: `The list ${list} of xt_recent is not open to user ${rights.uid}, as whom Stoplog runs`,
      why: "Not one ban can be written into it",
      cure: [`chown ${rights.uid} ${quoted(path)}  # until the rule is made anew`],
    }),
  ];
}

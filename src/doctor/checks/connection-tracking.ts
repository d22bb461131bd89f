import { counted, countWords } from "../../core/wording.ts";
import type { Check } from "../check.ts";
import { setSysctl } from "../cure.ts";
import { advice, type Finding, fine, trouble } from "../finding.ts";
import { type Host, readSysctl } from "../host.ts";

/** The kernel's connection tracking table: when it is full, all new connections are dropped. */
export const connectionTracking: Check = {
  name: "connection-tracking",
  title: "the connection tracking table",
  reports: "the table is 70 % full (90 %: trouble), was full since boot, or has long chains",
  look({ host }) {
    const max = readSysctl(host, MAX);
    const count = readSysctl(host, "net.netfilter.nf_conntrack_count");
    if (max === null || count === null || max <= 0) return [];
    const found = [...fullness(count, max), ...thrownOut(host, max), ...longChains(host, max)];
    return found.length > 0
      ? found
      : [
          fine(
            `The connection tracking table holds ${countWords(count)} of at most ${countWords(max)} entries`,
          ),
        ];
  },
};

const MAX = "net.netfilter.nf_conntrack_max";
const BUCKETS = "net.netfilter.nf_conntrack_buckets";

function fullness(count: number, max: number): Finding[] {
  const share = count / max;
  if (share < 0.7) return [];
  const finding = {
    what: `The connection tracking table is full to ${Math.floor(share * 100)} %: ${countWords(count)} of ${countWords(max)} entries`,
    why: "When it is full, the kernel drops new connections, those of your users included",
    cure: enlarge(max),
  };
  return [share < 0.9 ? advice(finding) : trouble(finding)];
}

/** An entry takes about 300 bytes. */
function enlarge(max: number): readonly string[] {
  return [...setSysctl(MAX, 4 * max), ...setSysctl(BUCKETS, 4 * max)];
}

/** Entries that the kernel evicted since boot because the table was full: a column of hexadecimal numbers, one line for each CPU. */
function thrownOut(host: Host, max: number): Finding[] {
  const [header = "", ...rows] = (host.read("/proc/net/stat/nf_conntrack") ?? "").trim().split("\n");
  const column = header.trim().split(/\s+/).indexOf("early_drop");
  if (column < 0) return [];
  const sum = rows.reduce(
    (all, row) => all + (Number.parseInt(row.trim().split(/\s+/)[column] ?? "0", 16) || 0),
    0,
  );
  if (sum === 0) return [];
  return [
    advice({
      what: `The connection tracking table was full since boot: the kernel evicted ${counted(sum, "entry", "entries")}`,
      why: "In the next flood the kernel drops connections of your users as well",
      cure: enlarge(max),
    }),
  ];
}

function longChains(host: Host, max: number): Finding[] {
  const buckets = readSysctl(host, BUCKETS);
  if (buckets === null || buckets <= 0 || max / buckets <= LONG_CHAIN) return [];
  return [
    advice({
      what: `The connection tracking table has ${countWords(buckets)} buckets for up to ${countWords(max)} entries`,
      why: `When it fills, each lookup walks a chain of ${Math.round(max / buckets)} entries`,
      cure: setSysctl(BUCKETS, max),
    }),
  ];
}

/** The kernel's own choice is one to four. */
const LONG_CHAIN = 8;

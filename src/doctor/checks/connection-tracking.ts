import { counted, countWords } from "../../core/wording.ts";
import type { Check } from "../check.ts";
import { setSysctl } from "../cure.ts";
import { advice, type Finding, fine, trouble } from "../finding.ts";
import { type Host, readSysctl } from "../host.ts";

/** The kernel's table of connections: when it is full, new ones are refused, whoever makes them. */
export const connectionTracking: Check = {
  name: "connection-tracking",
  looksAt: "the table of connections",
  find({ host }) {
    const max = readSysctl(host, MAX);
    const count = readSysctl(host, "net.netfilter.nf_conntrack_count");
    if (max === null || count === null || max <= 0) return [];
    const found = [...fullness(count, max), ...thrownOut(host, max), ...longChains(host, max)];
    return found.length > 0
      ? found
      : [fine(`The table of connections holds ${countWords(count)} of at most ${countWords(max)} entries`)];
  },
};

const MAX = "net.netfilter.nf_conntrack_max";
const BUCKETS = "net.netfilter.nf_conntrack_buckets";

function fullness(count: number, max: number): Finding[] {
  const share = count / max;
  if (share < 0.7) return [];
  const finding = {
    what: `The table of connections is full to ${Math.floor(share * 100)} %: ${countWords(count)} of ${countWords(max)} entries`,
    why: "When it is full, the kernel drops the packets of new connections, also of those who did nothing",
    cure: enlarge(max),
  };
  return [share < 0.9 ? advice(finding) : trouble(finding)];
}

/** An entry takes some 300 bytes. */
function enlarge(max: number): readonly string[] {
  return [...setSysctl(MAX, 4 * max), ...setSysctl(BUCKETS, 4 * max)];
}

/** What the kernel has thrown out for want of room since it started: a column of hexadecimal numbers, one line a processor. */
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
      what: `The table of connections was full since the last start: ${counted(sum, "entry was", "entries were")} thrown out of it to make room`,
      why: "In the next flood connections of your users are dropped along with the attackers'",
      cure: enlarge(max),
    }),
  ];
}

function longChains(host: Host, max: number): Finding[] {
  const buckets = readSysctl(host, BUCKETS);
  if (buckets === null || buckets <= 0 || max / buckets <= LONG_CHAIN) return [];
  return [
    advice({
      what: `The table of connections has ${countWords(buckets)} buckets for up to ${countWords(max)} entries`,
      why: `When it fills, each packet is looked up in a chain of ${Math.round(max / buckets)} entries`,
      cure: setSysctl(BUCKETS, max),
    }),
  ];
}

/** Kernels choose one to four by themselves. */
const LONG_CHAIN = 8;

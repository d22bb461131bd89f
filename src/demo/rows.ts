import { formatDuration } from "../core/duration.ts";
import type { Style } from "../cli/output/terminal.ts";
import { bytesWords, counted, countWords } from "../core/wording.ts";
import { BANTIME, families, MAXRETRY, type Plan, USERS } from "./plan.ts";
import type { Second } from "./second.ts";
import type { Outcome, Summary } from "./summary.ts";

/** The introduction of the demo. */
export function introduction(plan: Plan): readonly string[] {
  const { ipv4, ipv6 } = families(plan);
  const who = counted(plan.attackers, "attacker");
  const where = ipv6 === 0 ? "all by IPv4" : `${ipv4} by IPv4, ${ipv6} by IPv6`;
  return [
    `${who} (${where}) guess passwords at a small server, ${countWords(plan.rate)} times a second, while ${USERS} users log in.`,
    `First for ${plan.seconds} s without Stoplog, then with it: sshd's log, ${MAXRETRY} failures, a ban of ${formatDuration(BANTIME)}.`,
    "Server and attackers run in two network namespaces: this machine's network, firewall and logs are not touched.",
  ];
}

export function phaseTitle(startedInMs: number | null): string {
  return startedInMs === null
    ? "Without Stoplog"
    : `With Stoplog (watching ${startedInMs} ms after its start)`;
}

export function heading(style: Style): string {
  return style.bold(cells(["time", "tried", "got through", "users served", "banned", "CPU"]));
}

/** One second; `bars` for a terminal, relative to the plan's rate. */
export function row(
  second: Second,
  { rate }: Plan,
  { bars, style }: { readonly bars: boolean; readonly style: Style },
): string {
  const { bans, daemonCpuPercent } = second;
  const text = cells([
    `${second.second} s`,
    countWords(second.tried),
    countWords(second.through),
    `${second.served} of ${second.users}`,
    bans === null ? "-" : countWords(bans),
    daemonCpuPercent === null ? "-" : `${daemonCpuPercent.toFixed(0)} %`,
  ]);
  return bars ? `${text}  ${bar(second.through, rate, style)}`.trimEnd() : text;
}

export function summaryLines(summary: Summary, style: Style): readonly string[] {
  const facts: readonly (readonly [string, string])[] = [
    ["Got through", through(summary)],
    ["", needed(summary)],
    ["Bans", bans(summary)],
    ["Reaction", reaction(summary)],
    ["Users served", `${share(summary.without)} without Stoplog, ${share(summary.with)} with it`],
    ["The daemon", daemon(summary)],
    ["The kernel", kernel(summary)],
    ["Too slow", tooSlow(summary)],
  ];
  return facts
    .filter(([, text]) => text !== "")
    .map(([name, text]) => `${style.bold(name.padEnd(FACT_WIDTH))}${text}`);
}

/** Columns of a row, aligned right. */
const WIDTHS = [5, 7, 13, 14, 8, 7];
const BAR_WIDTH = 20;
const FACT_WIDTH = 14;

function cells(texts: readonly string[]): string {
  return texts.map((text, i) => text.padStart(WIDTHS[i] ?? 0)).join("");
}

/** The share that got through; never empty unless it is 0. */
function bar(through: number, rate: number, style: Style): string {
  const length = Math.min(BAR_WIDTH, Math.ceil((through / rate) * BAR_WIDTH));
  return style.red("█".repeat(length));
}

function through({ without, with: guarded }: Summary): string {
  return (
    `${countWords(without.throughPerSecond)} attempts a second without Stoplog; ` +
    `with it ${countWords(guarded.through)} in all, and ${countWords(guarded.throughLastSecond)} in the last second`
  );
}

function needed({ needed: count, late }: Summary): string {
  const after = late === 0 ? "none" : countWords(late);
  return `(${MAXRETRY} of each attacker must be seen first, ${countWords(count)} in all; ${after} got through after those)`;
}

function bans({ firstBanMs, lastBanMs, banned, attackers, needed: count, with: { tried } }: Summary): string {
  const of = `${countWords(banned)} of ${counted(attackers.ipv4 + attackers.ipv6, "attacker")}`;
  if (firstBanMs !== null && lastBanMs !== null) {
    return `${of}; the first ${countWords(firstBanMs)} ms after the flood began, the last after ${countWords(lastBanMs)} ms`;
  }
  return tried < count ? `none: no attacker made ${MAXRETRY} attempts in this time` : "none; this is a bug";
}

function reaction({ reactionMs }: Summary): string {
  if (reactionMs === null) return "";
  const { median, worst } = reactionMs;
  return `${median} ms (median) from an attacker's ${MAXRETRY}th failure in the log to the daemon's decision, ${worst} ms at worst`;
}

function share({ users, served }: Outcome): string {
  const percent = (served / Math.max(1, users)) * 100;
  // Never rounded up to 100.
  return `${served === users ? "100" : Math.min(99.9, percent).toFixed(1)} % (${countWords(served)} of ${countWords(users)})`;
}

function daemon({ daemon: { memoryBytes, cpuPercent } }: Summary): string {
  return `${bytesWords(memoryBytes)} of memory at most, ${cpuPercent} % of one core on average`;
}

function kernel({ kernel: count }: Summary): string {
  if (count === null) return "not counted: nft is not installed";
  return `holds ${countWords(count.ipv4)} IPv4 and ${countWords(count.ipv6)} IPv6 addresses, counted by nft`;
}

/** Only when this machine could not make the whole flood. */
function tooSlow({ without, with: guarded }: Summary): string {
  const missed = without.missed + guarded.missed;
  return missed === 0 ? "" : `${countWords(missed)} attempts were not made: this machine is too slow or busy`;
}

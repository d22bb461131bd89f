import { runProgram } from "../../core/run-program.ts";
import { type Duration, FOREVER, SECOND } from "../../core/time.ts";

/** How the rules of a firewall use a list of xt_recent. */
export interface RecentUse {
  /** How long an address is blocked after its entry: the longest `--seconds` of the rules. */
  readonly seconds: Duration;
  /** The highest `--hitcount` of the rules; 0 for none. */
  readonly hitcount: number;
  /** Whether packets extend a block (`--update`). */
  readonly updates: boolean;
}

/** By list, from what the programs in SAVERS print. */
export function readRecentRules(saved: string): ReadonlyMap<string, RecentUse> {
  const uses = new Map<string, RecentUse>();
  for (const line of saved.split("\n")) {
    if (!line.startsWith("-A ") || !/ (?<!! )--(?:rcheck|update)\b/.test(line)) continue;
    const name = / --name "?([^\s"]+)"?/.exec(line)?.[1] ?? "DEFAULT";
    const seconds = / --seconds (\d{1,10})\b/.exec(line)?.[1];
    const before = uses.get(name);
    uses.set(name, {
      seconds: Math.max(before?.seconds ?? 0, seconds === undefined ? FOREVER : Number(seconds) * SECOND),
      hitcount: Math.max(before?.hitcount ?? 0, Number(/ --hitcount (\d{1,5})\b/.exec(line)?.[1] ?? 0)),
      updates: (before?.updates ?? false) || line.includes(" --update"),
    });
  }
  return uses;
}

/** The rules of this machine; null when they cannot be read. */
export async function savedRules(): Promise<string | null> {
  const saved = await Promise.all(SAVERS.map(printed));
  return saved.every((text) => text === null) ? null : saved.join("\n");
}

/** With nftables below, iptables-save does not print the rules of iptables-legacy. Where it is missing, its rules are those of iptables-save. */
const SAVERS = ["iptables-save", "ip6tables-save", "iptables-legacy-save", "ip6tables-legacy-save"];

async function printed(program: string): Promise<string | null> {
  const { fact, stdout } = await runProgram([program], { timeout: 10 * SECOND, mostOutput: 64 << 20 });
  return fact === null ? stdout.toString("utf8") : null;
}

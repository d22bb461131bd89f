import { runProgram } from "../../core/run-program.ts";
import { type Duration, FOREVER, SECOND } from "../../core/time.ts";

/** What the rules of a firewall say about a list of xt_recent. */
export interface RecentUse {
  /** How long whoever is in the list is kept out after he was put in: the longest of its rules. */
  readonly seconds: Duration;
  /** The most `--hitcount` of its rules; 0 for none. */
  readonly hitcount: number;
  /** Whether packets prolong it (`--update`). */
  readonly updates: boolean;
}

/** By list, from what `iptables-save` and `ip6tables-save` print. */
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

/** This machine's rules; null when they cannot be read. */
export async function savedRules(): Promise<string | null> {
  const saved = await Promise.all(["iptables-save", "ip6tables-save"].map(printed));
  return saved.every((text) => text === null) ? null : saved.join("\n");
}

async function printed(program: string): Promise<string | null> {
  const { fact, stdout } = await runProgram([program], { timeout: 10 * SECOND, mostOutput: 64 << 20 });
  return fact === null ? stdout.toString("utf8") : null;
}

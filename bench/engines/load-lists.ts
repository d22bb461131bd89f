// Loads a list of addresses into the kernel of this network namespace, replaces it, and removes half of it,
// while bans continue. Prints one line of JSON.
//
//   node load-lists.mjs TASK         a ListsTask as JSON

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { formatAddress, address, V4_MARK } from "../../src/core/address.ts";
import { hostPrefix } from "../../src/core/prefix.ts";
import { HOUR } from "../../src/core/time.ts";
import { inTurns } from "../../src/core/turns.ts";
import { NftablesEnforcer } from "../../src/enforce/nftables/enforcer.ts";
import { ListSets } from "../../src/lists/kernel/list-sets.ts";
import { checkList } from "../../src/lists/reading/check-list.ts";
import { readListFiles } from "../../src/lists/reading/list-files.ts";
import { DEFAULT_BOUNDS } from "../../src/lists/reading/parse-list.ts";
import { SPECIAL_PURPOSE } from "../../src/core/special-purpose.ts";

export interface ListsTask {
  readonly engine: "stoplog" | "nft";
  /** The list, another as long, and half of that. */
  readonly files: readonly string[];
  readonly pauseMs: number;
}

export interface ListsResult {
  /** Time from the file to the kernel, for each file. */
  readonly tookMs: readonly number[];
  /** From the moment a ban was due until it was in force; and the same before the load. */
  readonly banMs: readonly number[];
  readonly idleBanMs: readonly number[];
  /** The longest turn of the event loop. */
  readonly longestTurnMs: number;
  readonly cpuMs: number;
  readonly peakMegabytes: number;
}

interface Engine {
  readonly load: (file: string) => Promise<void>;
  readonly ban: (text: string) => Promise<void>;
}

const IDLE_MS = 1500;

const task = JSON.parse(process.argv[2] ?? "") as ListsTask;
const engine = task.engine === "stoplog" ? await stoplog() : await nft();
console.log(JSON.stringify(await measure(engine)));
process.exit();

async function measure({ load, ban }: Engine): Promise<ListsResult> {
  const banMs: number[] = [];
  const tookMs: number[] = [];
  let longestTurnMs = 0;
  let last = performance.now();
  const beat = setInterval(() => {
    const now = performance.now();
    longestTurnMs = Math.max(longestTurnMs, now - last);
    last = now;
  }, 0);
  let made = 0;
  const banOne = async (): Promise<number> => {
    const due = performance.now() + task.pauseMs;
    await sleep(task.pauseMs);
    await ban(nth(made++));
    return performance.now() - due;
  };
  // Warm-up: V8 compiles code at its first use.
  await banOne();
  const idleBanMs: number[] = [];
  for (const end = performance.now() + IDLE_MS; performance.now() < end;) idleBanMs.push(await banOne());
  longestTurnMs = 0;
  let loading = true;
  const banning = (async () => {
    while (loading) banMs.push(await banOne());
  })();
  const before = process.cpuUsage();
  for (const file of task.files) {
    const begun = performance.now();
    await load(file);
    tookMs.push(performance.now() - begun);
  }
  const { user, system } = process.cpuUsage(before);
  loading = false;
  await banning;
  clearInterval(beat);
  const peakMegabytes = process.resourceUsage().maxRSS / 1000;
  return { tookMs, banMs, idleBanMs, longestTurnMs, cpuMs: (user + system) / 1000, peakMegabytes };
}

/** As in the daemon: one process, one event loop. */
async function stoplog(): Promise<Engine> {
  const sets = new ListSets();
  await sets.open([{ name: "list", verdict: "drop" }], () => {});
  const enforcer = new NftablesEnforcer();
  const target = "default";
  await enforcer.open(
    [{ name: target, enforcer: "nftables", verdict: { kind: "drop" }, ports: [], protocols: [] }],
    () => {},
  );
  return {
    async load(file) {
      const list = await readListFiles([file], DEFAULT_BOUNDS);
      const { ranges } = await inTurns(checkList(list, SPECIAL_PURPOSE));
      await sets.replace("list", ranges);
    },
    async ban(text) {
      const [a = 0, b = 0, c = 0, d = 0] = text.split(".").map(Number);
      const prefix = hostPrefix(address(0, 0, V4_MARK, (a << 24) | (b << 16) | (c << 8) | d));
      const now = Date.now();
      const refusals = await enforcer.apply([{ kind: "ban", prefix, target, until: now + HOUR }], now);
      if (refusals.length > 0) throw new Error(refusals[0]!.fact);
    },
  };
}

/** As in scripts: sets of intervals, filled by the nft program, which also runs for each ban. */
async function nft(): Promise<Engine> {
  const rules = join(dirname(task.files[0]!), `list-${process.pid}.nft`);
  const sets = ["ipv4", "ipv6"].map((type) => `set ${type} { type ${type}_addr; flags interval; }`);
  writeFileSync(
    rules,
    `table inet lists {
  ${sets.join("\n  ")}
  chain listed {
    type filter hook prerouting priority -300
    ip saddr @ipv4 drop
    ip6 saddr @ipv6 drop
  }
}
table inet bans {
  set banned { type ipv4_addr; flags timeout; }
}
`,
  );
  await run("nft", "-f", rules);
  return {
    async load(file) {
      const { readFileSync } = await import("node:fs");
      const entries = readFileSync(file, "utf8").trimEnd().split("\n");
      const v6 = entries.filter((entry) => entry.includes(":"));
      const v4 = entries.filter((entry) => !entry.includes(":"));
      writeFileSync(
        rules,
        `flush set inet lists ipv4\nflush set inet lists ipv6\nadd element inet lists ipv4 { ${v4.join(",")} }\nadd element inet lists ipv6 { ${v6.join(",")} }\n`,
      );
      await run("nft", "-f", rules);
    },
    ban: (text) => run("nft", "add", "element", "inet", "bans", "banned", `{ ${text} timeout 1h }`),
  };
}

async function run(program: string, ...args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "inherit"] });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${program} ended with ${code}`);
}

/** Addresses of 198.18.0.0/15, which is for benchmarks. */
function nth(i: number): string {
  return formatAddress(address(0, 0, V4_MARK, 0xc6120000 + i));
}

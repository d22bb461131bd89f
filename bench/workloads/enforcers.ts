import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { TargetSpec } from "../../src/enforce/enforcer.ts";
import { workFolder } from "../corpora/cache.ts";
import type { EnforcerEngine, EnforcersDefinition } from "../definition.ts";
import type { EnforceResult, EnforceTask } from "../engines/enforce-bans.ts";
import { bundledEngine } from "../harness/engine-bundle.ts";
import { atEnd } from "../harness/leftovers.ts";
import { Namespace } from "../harness/namespace.ts";
import { type Figures, verify, WrongResult } from "../harness/outcome.ts";
import { findProgram, runProgram } from "../harness/program.ts";
import { type Contestant, runRounds } from "../harness/rounds.ts";
import { fail2banIptables, missingFail2ban } from "../rivals/fail2ban-iptables.ts";
import type { Workload } from "./workload.ts";

/** Bans of new addresses with each kind of enforcer, in a namespace of its own; the system's own programs count them at the end. */
export const enforcers: Workload<EnforcersDefinition> = {
  async run(definition, settings) {
    const contestants = definition.engines.map(({ name, bans, note }): Contestant => {
      const count = settings.quick ? Math.max(100, Math.round(bans / 10)) : bans;
      return {
        who: name,
        missing: missing(name),
        note: `${count} bans${note === undefined ? "" : `; ${note}`}`,
        run: () => {
          if (name === "fail2ban's iptables") return fail2banIptables(count);
          return name === "ipset restore" ? restore(count) : once(name, count, definition.batch);
        },
      };
    });
    const outcomes = await runRounds(contestants, settings.rounds);
    return { columns: COLUMNS, outcomes, setting: `${definition.batch} bans in each call` };
  },
};

const COLUMNS = [
  { key: "perSecond", label: "bans/s", digits: 0, compared: true },
  { key: "cpuUs", label: "CPU µs each", digits: 1 },
  { key: "longestTurnMs", label: "longest turn ms", digits: 1 },
  { key: "anewMs", label: "all again ms", digits: 0 },
  { key: "anewTurnMs", label: "longest turn", digits: 1 },
] as const;

interface Kind {
  readonly target: (folder: string) => TargetSpec;
  readonly needs: string;
  /** Commands that run before. */
  readonly prepare?: readonly string[];
  /** Bans as counted by another program. */
  readonly count: (space: Namespace, folder: string) => number;
  /** How many of these bans can exist. */
  readonly most?: number;
  readonly program?: boolean;
}

const match = { name: "bench", verdict: { kind: "drop" }, ports: [], protocols: [] } as const;
const ipset: Kind = {
  needs: "ipset",
  target: () => ({ ...match, enforcer: "ipset", sets: [], chain: "INPUT", rule: true }),
  count: (space) => matches(space, /^add stoplog-bench:4 10\./gm, "ipset", "save"),
};
const LIST_PLACES = 100;

const KINDS: Readonly<
  Record<Exclude<EnforcerEngine["name"], "ipset restore" | "fail2ban's iptables">, Kind>
> = {
  nftables: {
    needs: "nft",
    target: () => ({ ...match, enforcer: "nftables" }),
    count: (space) => elements(space, "stoplog"),
  },
  "nft program": {
    needs: "nft",
    target: () => ({ ...match, enforcer: "nft" }),
    count: (space) => elements(space, "stoplog"),
  },
  "nft-set": {
    needs: "nft",
    prepare: ["nft", "add table inet admin; add set inet admin s { type ipv4_addr; flags timeout; }"],
    target: () => ({
      name: "bench",
      enforcer: "nft-set",
      sets: [{ family: "inet", table: "admin", set: "s" }],
    }),
    count: (space) => elements(space, "admin"),
  },
  ipset,
  "ipset, by its program": { ...ipset, program: true },
  route: {
    needs: "ip",
    target: () => ({ name: "bench", enforcer: "route", type: "blackhole" }),
    count: (space) => matches(space, /^blackhole 10\./gm, "ip", "route", "show"),
  },
  recent: {
    needs: "iptables",
    prepare: ["iptables", "-A", "INPUT", "-m", "recent", "--name", "bench", "--rcheck", "-j", "DROP"],
    target: () => ({ name: "bench", enforcer: "recent", list: "bench" }),
    count: (space) => matches(space, /^src=10\./gm, "cat", "/proc/net/xt_recent/bench"),
    most: LIST_PLACES,
  },
  iptables: {
    needs: "iptables-restore",
    target: () => ({ ...match, enforcer: "iptables", chain: "INPUT", interface: null }),
    count: (space) => matches(space, / -s 10\./g, "iptables", "-S", "stoplog-bench"),
  },
  "hosts.deny": {
    needs: "ip",
    target: (folder) => ({
      name: "bench",
      enforcer: "hosts.deny",
      path: join(folder, "hosts.deny"),
      services: "ALL",
    }),
    count: (_, folder) =>
      readFileSync(join(folder, "hosts.deny"), "utf8").match(/^ALL: *10\./gm)?.length ?? 0,
  },
};

function missing(name: EnforcerEngine["name"]): string | null {
  if (name === "fail2ban's iptables") return missingFail2ban();
  const needs = name === "ipset restore" ? "ipset" : KINDS[name].needs;
  if (findProgram(needs, `/usr/sbin/${needs}`) === null) return `${needs} is not installed`;
  return Namespace.missing();
}

async function once(name: keyof typeof KINDS, bans: number, batch: number): Promise<Figures> {
  const kind = KINDS[name];
  const space = Namespace.open();
  const folder = join(workFolder, `enforcers-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  const remove = atEnd(() => rmSync(folder, { recursive: true, force: true }));
  try {
    if (kind.prepare !== undefined) run(space, ...kind.prepare);
    const { program = false } = kind;
    const task: EnforceTask = { target: kind.target(folder), bans, batch, program };
    const command = space.wrap([...(await bundledEngine("enforce-bans")), JSON.stringify(task)]);
    const { status, stdout, stderr } = await runProgram(command, { timeoutMs: 300_000 });
    if (status !== 0) throw new WrongResult(`${name} failed: ${stderr.slice(-1000)}`);
    const result = JSON.parse(stdout) as EnforceResult;
    const held = Math.min(bans, kind.most ?? bans);
    verify(name, "bans refused", result.refused, bans - held);
    verify(name, "bans in the kernel", kind.count(space, folder), held);
    const { tookMs, cpuMs, longestTurnMs, anewMs, anewTurnMs } = result;
    return {
      perSecond: (bans / tookMs) * 1000,
      cpuUs: (cpuMs * 1000) / bans,
      longestTurnMs,
      anewMs,
      anewTurnMs,
    };
  } finally {
    remove();
    space.close();
  }
}

/** The program alone, from an existing file: the best that a script could do. */
async function restore(bans: number): Promise<Figures> {
  const space = Namespace.open();
  const path = join(workFolder, `restore-${process.pid}`);
  mkdirSync(workFolder, { recursive: true });
  const lines = ["create stoplog-bench:4 hash:ip maxelem 1048576 timeout 0"];
  for (let i = 1; i <= bans; i++)
    lines.push(`add stoplog-bench:4 10.${i >> 16}.${(i >> 8) & 255}.${i & 255} timeout 86400`);
  writeFileSync(path, `${lines.join("\n")}\n`);
  const stdin = openSync(path, "r");
  try {
    const { status, stderr, wallMs, cpuMs } = await runProgram(space.wrap(["ipset", "restore"]), {
      stdin,
      timeoutMs: 300_000,
    });
    if (status !== 0) throw new WrongResult(`ipset restore failed: ${stderr.slice(-1000)}`);
    verify("ipset restore", "bans in the kernel", ipset.count(space, ""), bans);
    return { perSecond: (bans / wallMs) * 1000, cpuUs: cpuMs === null ? null : (cpuMs * 1000) / bans };
  } finally {
    closeSync(stdin);
    rmSync(path, { force: true });
    space.close();
  }
}

/** From its text: an nft that does not know a flag of the table writes no JSON. */
function elements(space: Namespace, table: string): number {
  return matches(space, /\b10\.\d+\.\d+\.\d+ (?:timeout|expires)/g, "nft", "list", "table", "inet", table);
}

function matches(space: Namespace, pattern: RegExp, ...command: readonly string[]): number {
  return run(space, ...command).match(pattern)?.length ?? 0;
}

function run(space: Namespace, ...command: readonly string[]): string {
  const [file = "", ...args] = space.wrap(command);
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: "utf8", maxBuffer: 1 << 30 });
  if (status !== 0) throw new WrongResult(`${command.join(" ")} failed: ${stderr}`);
  return stdout;
}

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { atEnd } from "./leftovers.ts";

/** Limits of a control group. */
export interface Budget {
  /** Of one core. */
  readonly cpu: number;
  readonly memoryBytes: number;
}

/**
 * A control group for each measured program: the kernel's sum of the CPU time of the program and all its descendants,
 * in microseconds, including processes that have ended. Supports both hierarchies:
 *
 *      v2   …/stoplog-bench-PID-N/  cpu.stat, cpu.max, memory.max            (cgroup-v2.rst)
 *      v1   cpuacct/…  cpu/…  memory/…                                       (cgroup-v1/)
 */
export class Cgroup {
  readonly #folders: readonly string[];
  readonly #usage: () => number;
  readonly #throttled: () => Throttled;
  readonly #remove: () => void;

  private constructor(folders: readonly string[], usage: () => number, throttled: () => Throttled) {
    this.#folders = folders;
    this.#usage = usage;
    this.#throttled = throttled;
    this.#remove = atEnd(() => this.#removeNow());
  }

  /** Null when this machine allows no control group, or none with a budget. */
  static open(budget?: Budget): Cgroup | null {
    const name = `stoplog-bench-${process.pid}-${counter++}`;
    try {
      return openV2(name, budget) ?? openV1(name, budget);
    } catch {
      return null;
    }
  }

  static make(folders: readonly string[], usage: () => number, throttled: () => Throttled): Cgroup {
    return new Cgroup(folders, usage, throttled);
  }

  /** A command that enters the group and then execs `command`: nothing of it runs outside. */
  wrap(command: readonly string[]): string[] {
    const enter = this.#folders.map((folder) => `echo $$ > '${folder}/cgroup.procs' || exit 99`).join("; ");
    return ["/bin/sh", "-c", `${enter}; exec "$@"`, "sh", ...command];
  }

  /** CPU time of everything that ran in it, in ms. */
  cpuMs(): number {
    return this.#usage();
  }

  /** Share of its periods in which it was throttled. */
  throttled(): { readonly periods: number; readonly stalled: number } {
    return this.#throttled();
  }

  /** Ids of the processes in it. */
  processes(): number[] {
    const folder = this.#folders[0];
    if (folder === undefined) return [];
    return readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
  }

  /** Kills the processes in it, all started by the bench, and removes the group. */
  close(): void {
    this.#remove();
  }

  #removeNow(): void {
    for (let tries = 0; tries < 200; tries++) {
      for (const pid of this.processes()) tryKill(pid);
      try {
        for (const folder of this.#folders) if (existsSync(folder)) rmdirSync(folder);
        return;
      } catch {
        // A killed process stays in its group until it is reaped. Waits synchronously: this also runs while Node exits.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      }
    }
  }
}

let counter = 0;

function openV2(name: string, budget: Budget | undefined): Cgroup | null {
  const mount = mountOf((type) => type === "cgroup2");
  if (mount === null) return null;
  const folder = join(mount, name);
  if (budget !== undefined) {
    const controllers = readFileSync(join(mount, "cgroup.controllers"), "utf8").split(/\s+/);
    if (!controllers.includes("cpu") || !controllers.includes("memory")) return null;
    writeFileSync(join(mount, "cgroup.subtree_control"), "+cpu +memory");
  }
  mkdirSync(folder);
  if (budget !== undefined) {
    writeFileSync(join(folder, "cpu.max"), `${Math.round(budget.cpu * PERIOD_US)} ${PERIOD_US}`);
    writeFileSync(join(folder, "memory.max"), String(budget.memoryBytes));
  }
  return Cgroup.make(
    [folder],
    () => statOf(join(folder, "cpu.stat"), "usage_usec") / 1000,
    () => throttledOf(join(folder, "cpu.stat")),
  );
}

function openV1(name: string, budget: Budget | undefined): Cgroup | null {
  const controllers = budget === undefined ? ["cpuacct"] : ["cpuacct", "cpu", "memory"];
  const mounts = controllers.map((controller) =>
    mountOf((type, options) => type === "cgroup" && options.includes(controller)),
  );
  if (mounts.includes(null)) return null;
  const folders = [...new Set(mounts.map((mount) => join(mount ?? "", name)))];
  for (const folder of folders) mkdirSync(folder);
  const at = (controller: string, file: string): string =>
    join(mounts[controllers.indexOf(controller)] ?? "", name, file);
  if (budget !== undefined) {
    writeFileSync(at("cpu", "cpu.cfs_period_us"), String(PERIOD_US));
    writeFileSync(at("cpu", "cpu.cfs_quota_us"), String(Math.round(budget.cpu * PERIOD_US)));
    writeFileSync(at("memory", "memory.limit_in_bytes"), String(budget.memoryBytes));
  }
  return Cgroup.make(
    folders,
    () => Number(readFileSync(at("cpuacct", "cpuacct.usage"), "utf8")) / 1e6,
    () => (budget === undefined ? { periods: 0, stalled: 0 } : throttledOf(at("cpu", "cpu.stat"))),
  );
}

/** Longer periods let a burst run and then stall it for as long; 20 ms keeps both short. */
const PERIOD_US = 20_000;

function mountOf(fits: (type: string, options: readonly string[]) => boolean): string | null {
  for (const line of readFileSync("/proc/mounts", "utf8").split("\n")) {
    const [, path = "", type = "", options = ""] = line.split(" ");
    if (fits(type, options.split(","))) return path;
  }
  return null;
}

interface Throttled {
  readonly periods: number;
  readonly stalled: number;
}

/** The same in both hierarchies. */
function throttledOf(file: string): Throttled {
  return { periods: statOf(file, "nr_periods"), stalled: statOf(file, "nr_throttled") };
}

function statOf(file: string, key: string): number {
  const found = readFileSync(file, "utf8")
    .split("\n")
    .find((line) => line.startsWith(`${key} `));
  return Number(found?.split(" ")[1] ?? 0);
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it has ended
  }
}

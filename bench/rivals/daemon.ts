import { type ChildProcess, spawn } from "node:child_process";
import {
  mkdtempSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
  closeSync,
} from "node:fs";
import { join } from "node:path";
import { workFolder } from "../corpora/cache.ts";
import type { ServiceName } from "../corpora/services.ts";
import { type Budget, Cgroup } from "../harness/cgroup.ts";
import { atEnd } from "../harness/leftovers.ts";
import { Namespace } from "../harness/namespace.ts";
import { WrongResult } from "../harness/outcome.ts";
import { environment } from "../harness/program.ts";
import { BanWatch } from "../harness/ban-watch.ts";

/** A daemon's task: watch one log and ban addresses with `maxretry` failures in ten minutes, for an hour. */
export interface Duty {
  readonly service: ServiceName;
  readonly maxretry: number;
  readonly budget?: Budget;
}

/** A banning daemon, as its users run it. */
export interface DaemonRival {
  /** Why it cannot run here, or null. */
  missing(): string | null;
  readonly note: string;
  /** The kernel's table with its bans; null when its action writes them to `bansFile` instead. */
  readonly table: string | null;
  /** Writes its configuration into the folder and returns the command that runs it in the foreground. */
  prepare(folder: string, log: string, duty: Duty): readonly string[];
  /** Whether its output says that it watches. */
  isReady(output: string): boolean;
  /** Failures that it reports so far; null while it does not answer. */
  counted(folder: string): Promise<number | null>;
}

/**
 * A running daemon in a namespace and a control group of its own, with an empty log and a watch for
 * its bans. `close` removes everything.
 */
export class Arena {
  readonly log: string;
  readonly watch: BanWatch;
  readonly space: Namespace;
  readonly #who: string;
  readonly #rival: DaemonRival;
  readonly #folder: string;
  readonly #group: Cgroup;
  readonly #duty: Duty;
  readonly #removeFolder: () => void;
  #child: ChildProcess | null = null;
  #startedAt = 0n;

  private constructor(
    parts: { who: string; rival: DaemonRival; duty: Duty },
    made: { folder: string; group: Cgroup; space: Namespace; watch: BanWatch },
  ) {
    this.#who = parts.who;
    this.#rival = parts.rival;
    this.#duty = parts.duty;
    this.#folder = made.folder;
    this.#group = made.group;
    this.space = made.space;
    this.watch = made.watch;
    this.#removeFolder = atEnd(() => rmSync(made.folder, { recursive: true, force: true }));
    this.log = join(made.folder, "watched.log");
    writeFileSync(this.log, "");
  }

  static async open(who: string, rival: DaemonRival, duty: Duty): Promise<Arena> {
    const group = Cgroup.open(duty.budget);
    if (group === null) throw new WrongResult("Cannot measure a daemon: control groups cannot be made here");
    mkdirSync(workFolder, { recursive: true });
    const folder = mkdtempSync(join(workFolder, "arena-"));
    const space = Namespace.open();
    const watch =
      rival.table === null ? BanWatch.ofFile(bansFile(folder)) : await BanWatch.ofKernel(space, rival.table);
    return new Arena({ who, rival, duty }, { folder, group, space, watch });
  }

  /** When the process was started, in nanoseconds of the monotonic clock. */
  get startedAt(): bigint {
    return this.#startedAt;
  }

  /** Starts the daemon, without waiting. */
  start(): void {
    const command = this.#rival.prepare(this.#folder, this.log, this.#duty);
    const [file = "", ...args] = this.#group.wrap(this.space.wrap(command));
    // To a file: a pipe's reader could slow it down.
    const output = openSync(this.#output, "a");
    this.#startedAt = process.hrtime.bigint();
    this.#child = spawn(file, args, {
      stdio: ["ignore", output, output],
      cwd: this.#folder,
      env: environment(),
    });
    closeSync(output);
  }

  async ready(): Promise<void> {
    await this.poll("watches", 20_000, () => (this.#rival.isReady(this.#said()) ? true : null));
    // Its message may precede the fact by a moment.
    await pause(300);
    this.watch.forget();
  }

  /** Waits until the daemon reports this many failures. */
  async counted(failures: number, timeoutMs: number): Promise<void> {
    await this.poll(`has counted ${failures} failures`, timeoutMs, async () => {
      const counted = await this.#rival.counted(this.#folder);
      return counted !== null && counted >= failures ? true : null;
    });
  }

  cpuMs(): number {
    return this.#group.cpuMs();
  }

  throttled(): { readonly periods: number; readonly stalled: number } {
    return this.#group.throttled();
  }

  /** Resident bytes of all its processes now, and the sum of their peaks. */
  memory(): { readonly now: number; readonly peak: number } {
    const sizes = this.#group.processes().map((pid) => memoryOf(pid));
    return { now: sum(sizes.map(({ now }) => now)), peak: sum(sizes.map(({ peak }) => peak)) };
  }

  /** Context switches of its threads. */
  contextSwitches(): number {
    return sum(this.#group.processes().map((pid) => contextSwitchesOf(pid)));
  }

  /** Throws unless nft shows exactly this many bans. */
  verifyKernel(banned: number): void {
    if (this.#rival.table === null) return;
    const found = this.space.elements(this.#rival.table);
    if (found !== banned)
      throw new WrongResult(`${this.#who}: nft shows ${found} banned addresses instead of ${banned}`);
  }

  /** Throws when the daemon has ended. */
  assertAlive(): void {
    const child = this.#child;
    if (child === null || child.exitCode === null) return;
    throw new WrongResult(
      `${this.#who} has ended with status ${child.exitCode}: ${this.#said().slice(-2000)}`,
    );
  }

  close(): void {
    this.#group.close();
    this.watch.close();
    this.space.close();
    this.#removeFolder();
  }

  async poll(
    what: string,
    timeoutMs: number,
    ask: () => boolean | null | Promise<boolean | null>,
  ): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while ((await ask()) === null) {
      this.assertAlive();
      if (performance.now() > deadline) {
        throw new WrongResult(
          `${this.#who} does not say that it ${what} within ${timeoutMs / 1000} s: ${this.#said().slice(-1000)}`,
        );
      }
      await pause(20);
    }
  }

  get #output(): string {
    return join(this.#folder, "output.log");
  }

  #said(): string {
    return readFileSync(this.#output, "utf8");
  }
}

/** The file for a daemon's bans when it does not use the kernel. */
export function bansFile(folder: string): string {
  return join(folder, "bans");
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function memoryOf(pid: number): { now: number; peak: number } {
  const status = readProc(`/proc/${pid}/status`);
  const kilobytes = (key: string): number =>
    Number(new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0);
  return { now: kilobytes("VmRSS") * 1024, peak: kilobytes("VmHWM") * 1024 };
}

function contextSwitchesOf(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`).map((thread) =>
      readProc(`/proc/${pid}/task/${thread}/status`),
    );
    return sum(
      threads.flatMap((status) =>
        [...status.matchAll(/ctxt_switches:\s+(\d+)/g)].map((match) => Number(match[1])),
      ),
    );
  } catch {
    return 0; // it has ended
  }
}

function readProc(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

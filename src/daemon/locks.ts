import { mkdirSync, readlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Config } from "../config/config.ts";
import { factOf, StoplogError } from "../core/errors.ts";
import { fnv1a } from "../core/fnv1a.ts";
import type { Trouble } from "../core/trouble.ts";
import { logRulesOf } from "../config/log-rules.ts";
import { placesOf } from "../enforce/kinds.ts";
import { LOG_TABLE } from "../enforce/log-rules/log-rule.ts";
import { type FileLock, lockFile } from "../kernel/native/file-lock.ts";
import { KERNEL_TABLE, LISTS_TABLE } from "../kernel/nftables/table-names.ts";
import type { Feature, Settings } from "./feature.ts";

export interface LocksDeps {
  readonly stateDirectory: string | null;
  readonly dryRun: boolean;
  /** A folder that this user can write to, if the system's is not. */
  readonly folder: string;
}

/**
 * Locks of what only one daemon may write: the state directory, each table, set, list and file of the targets, and the tables of lists, of jails that
 * the kernel counts, and of rules that log packets. Two daemons that share one would undo each other's bans. They are taken before anything is opened.
 */
export class Locks implements Feature {
  readonly name = "the locks";
  readonly isEssential = true;
  readonly #deps: LocksDeps;
  /** By the path of the lock's file. */
  readonly #held = new Map<string, FileLock>();
  /** What cannot be locked, and why. */
  readonly #faults = new Map<string, string>();
  #wanted: ReadonlyMap<string, string> = new Map();
  #folder: string | null = null;

  constructor(deps: LocksDeps) {
    this.#deps = deps;
  }

  /** Rejects when another process holds one of them. Locks that are not needed any more are released later: a rollback may need them. */
  follow({ config }: Settings): void {
    const wanted = this.#locksOf(config);
    this.#faults.clear();
    for (const [path, what] of wanted) if (!this.#held.has(path)) this.#take(path, what);
    this.#wanted = wanted;
  }

  tick(): void {
    for (const [path, lock] of this.#held) {
      if (this.#wanted.has(path)) continue;
      lock.release();
      this.#held.delete(path);
    }
  }

  /** Whether no other daemon uses this object of the kernel: only then may what an earlier run left of it be removed. */
  isFree(place: string): boolean {
    const path = join(this.#lockFolder(), nameOf(place));
    if (this.#held.has(path)) return true;
    try {
      const lock = lockFile(path);
      if (!("release" in lock)) return false;
      lock.release();
      return true;
    } catch {
      return true; // Where nothing can be locked, no daemon holds a lock.
    }
  }

  troubles(): readonly Trouble[] {
    return [...this.#faults].map(([what, fact]) => ({
      of: `the lock of ${what}`,
      sentence: `Cannot lock ${what}, so another Stoplog may write to it too: ${fact} (stoplog reload tries again)`,
    }));
  }

  close(): void {
    for (const lock of this.#held.values()) lock.release();
    this.#held.clear();
  }

  #take(path: string, what: string): void {
    try {
      const lock = lockFile(path);
      if ("release" in lock) this.#held.set(path, lock);
      else throw new StoplogError(`Cannot use ${what}: ${holder(lock.by)} uses it`);
    } catch (error) {
      if (error instanceof StoplogError) throw error;
      this.#faults.set(what, factOf(error));
    }
  }

  /** What is locked, by the path of its lock. */
  #locksOf(config: Config): ReadonlyMap<string, string> {
    const { stateDirectory, dryRun } = this.#deps;
    const locks = new Map<string, string>();
    if (stateDirectory !== null)
      locks.set(join(stateDirectory, "lock"), `the state directory ${stateDirectory}`);
    for (const place of dryRun ? [] : placesIn(config))
      locks.set(join(this.#lockFolder(), nameOf(place)), place);
    return locks;
  }

  #lockFolder(): string {
    this.#folder ??= firstWritable([SYSTEM_FOLDER, join(this.#deps.folder, "locks")]);
    return this.#folder;
  }
}

/** A table of family inet, as the locks name it. */
export function tablePlace(table: string): string {
  return `the table inet ${table}`;
}

/** The objects of the kernel and the files that a configuration writes. */
function* placesIn(config: Config): Generator<string> {
  for (const { enforcers } of config.targets) for (const spec of enforcers) yield* placesOf(spec);
  if (config.lists.length > 0) yield tablePlace(LISTS_TABLE);
  if (config.jails.some(({ offload }) => offload !== undefined)) yield tablePlace(KERNEL_TABLE);
  if (logRulesOf(config, { installed: true }).length > 0) yield tablePlace(LOG_TABLE);
}

const SYSTEM_FOLDER = "/run/stoplog/locks";

function firstWritable([folder = "", ...others]: readonly string[]): string {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  } catch {
    return others.length === 0 ? folder : firstWritable(others);
  }
}

/** The same object of another network namespace is another one. */
function nameOf(place: string): string {
  const scope = place.startsWith("/") ? "file" : readlinkSync("/proc/self/ns/net").replaceAll(/\D/g, "");
  const readable = place.replaceAll(/[^\w.-]+/g, "-").slice(-100);
  return `${scope}-${fnv1a(Buffer.from(place)).toString(16)}-${readable}`;
}

function holder(pid: number | null): string {
  return pid === null ? "another process" : `process ${pid}`;
}

/** Locks the control socket's path, for the time in which this process listens on it. Throws a StoplogError when another process holds it. */
export function lockSocket(path: string): FileLock {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const lock = lockFile(`${path}.lock`);
  if ("release" in lock) return lock;
  throw new StoplogError(`Cannot listen on ${path}: another stoplog is running there (${holder(lock.by)})`);
}

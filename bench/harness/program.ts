import { accessSync, constants, mkdirSync, readFileSync, rmSync } from "node:fs";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { workFolder } from "../corpora/cache.ts";
import { Cgroup } from "./cgroup.ts";

/** Cost of a program that ran to its end, measured from outside. */
export interface Cost {
  readonly wallMs: number;
  /** Of the program and its descendants; null when this machine cannot tell. */
  readonly cpuMs: number | null;
  /** The largest resident size of any of its processes; null without GNU time. */
  readonly peakBytes: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

export interface ProgramOptions {
  /** A file to read from. */
  readonly stdin?: number;
  readonly timeoutMs?: number;
}

/** Runs a new process to its end and returns its cost. All programs of the bench run in UTC and the C locale. */
export async function runProgram(command: readonly string[], options: ProgramOptions = {}): Promise<Cost> {
  const group = Cgroup.open();
  mkdirSync(workFolder, { recursive: true });
  const peakFile = join(workFolder, `peak-${process.pid}`);
  const timed =
    findProgram("/usr/bin/time") === null
      ? command
      : ["/usr/bin/time", "-f", "%M", "-o", peakFile, ...command];
  const [file = "", ...args] = group === null ? timed : group.wrap(timed);
  const before = process.hrtime.bigint();
  const child = spawn(file, args, { stdio: [options.stdin ?? "ignore", "pipe", "pipe"], env: environment() });
  const chunks: { out: Buffer[]; err: Buffer[] } = { out: [], err: [] };
  child.stdout?.on("data", (chunk: Buffer) => chunks.out.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => chunks.err.push(chunk));
  const timer =
    options.timeoutMs === undefined
      ? null
      : setTimeout(() => {
          for (const pid of group?.processes() ?? []) process.kill(pid, "SIGKILL");
          child.kill("SIGKILL");
        }, options.timeoutMs);
  let ended = before;
  child.on("exit", () => {
    ended = process.hrtime.bigint();
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (timer !== null) clearTimeout(timer);
  const cost = {
    wallMs: Number(ended - before) / 1e6,
    cpuMs: group?.cpuMs() ?? null,
    peakBytes: peakOf(peakFile),
    stdout: Buffer.concat(chunks.out).toString(),
    stderr: Buffer.concat(chunks.err).toString(),
    status,
  };
  group?.close();
  return cost;
}

/** Environment of every program of the bench. */
export function environment(): NodeJS.ProcessEnv {
  return { ...process.env, TZ: "UTC", LC_ALL: "C", PYTHONDONTWRITEBYTECODE: "1" };
}

/** The first of these programs that exists: absolute paths, or names in PATH; null when none does. */
export function findProgram(...names: readonly string[]): string | null {
  for (const name of names) {
    const folders = name.startsWith("/") ? [""] : (process.env["PATH"] ?? "").split(":");
    for (const folder of folders) {
      const path = folder === "" ? name : join(folder, name);
      if (isProgram(path)) return path;
    }
  }
  return null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Kilobytes, on the last line: a message about a failed command may precede it. */
function peakOf(file: string): number | null {
  try {
    const kilobytes = Number(readFileSync(file, "utf8").trim().split("\n").at(-1));
    rmSync(file);
    return Number.isFinite(kilobytes) ? kilobytes * 1024 : null;
  } catch {
    return null;
  }
}

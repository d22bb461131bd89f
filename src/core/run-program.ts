import { spawn } from "node:child_process";
import { formatDuration } from "./duration.ts";
import { factOf } from "./errors.ts";
import type { Duration } from "./time.ts";

/**
 * Runs a program to its end, without a shell, with text on its standard input. Answers null when it ended with status 0 in time, else
 * why not. After `timeout`, or when the signal aborts, it and what it has started are killed.
 */
export function runProgram(
  [program = "", ...args]: readonly string[],
  input: string,
  timeout: Duration,
  signal?: AbortSignal,
): Promise<string | null> {
  return new Promise((resolve) => {
    // A group of its own, so that all of it can be ended.
    const child = spawn(program, args, { stdio: ["pipe", "ignore", "pipe"], detached: true });
    let complaint = "";
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      end();
    }, timeout);
    const end = (): void => endGroup(child.pid);
    const settle = (fact: string | null): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve(fact);
    };
    signal?.addEventListener("abort", end);
    if (signal?.aborted === true) end();
    child.stderr.setEncoding("latin1");
    child.stderr.on("data", (text: string) => (complaint = (complaint + text).slice(-MOST_COMPLAINT)));
    child.stdin.on("error", () => undefined); // it does not read what it is given, and need not
    child.on("error", (error) => settle(factOf(error)));
    child.on("exit", (status, killedBy) => {
      child.stderr.destroy(); // whatever it has left running may keep it open
      if (late) return settle(`${program} took longer than ${formatDuration(timeout)}`);
      settle(status === 0 ? null : `${program} ended with ${killedBy ?? status}${lastLine(complaint)}`);
    });
    child.stdin.end(input);
  });
}

const MOST_COMPLAINT = 1000;

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // gone already
  }
}

/** What it says last on standard error, without what a terminal would take for commands. */
function lastLine(text: string): string {
  const last = text.trim().split("\n").at(-1) ?? "";
  const plain = last.replace(/[\x00-\x1f\x7f-\xff]+/g, " ").slice(0, 200);
  return plain === "" ? "" : `: ${plain}`;
}

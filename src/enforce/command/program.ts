import { spawn } from "node:child_process";
import { factOf } from "../../core/errors.ts";
import { formatDuration } from "../../core/duration.ts";
import type { Duration } from "../../core/time.ts";

/**
 * Runs a program to its end, without a shell, with text on its standard input. Answers null when it ended with status 0 in time, else
 * why not. After `timeout` it and what it has started are killed.
 */
export function runProgram(
  [program = "", ...args]: readonly string[],
  input: string,
  timeout: Duration,
): Promise<string | null> {
  return new Promise((resolve) => {
    // A group of its own, so that all of it can be ended.
    const child = spawn(program, args, { stdio: ["pipe", "ignore", "pipe"], detached: true });
    let complaint = "";
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      endGroup(child.pid);
    }, timeout);
    child.stderr.setEncoding("latin1");
    child.stderr.on("data", (text: string) => (complaint = (complaint + text).slice(-MOST_COMPLAINT)));
    child.stdin.on("error", () => undefined); // it does not read what it is given, and need not
    child.on("error", (error) => {
      clearTimeout(timer);
      resolve(factOf(error));
    });
    child.on("exit", (status, signal) => {
      clearTimeout(timer);
      child.stderr.destroy(); // whatever it has left running may keep it open
      if (late) return resolve(`${program} took longer than ${formatDuration(timeout)}`);
      resolve(status === 0 ? null : `${program} ended with ${signal ?? status}${lastLine(complaint)}`);
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

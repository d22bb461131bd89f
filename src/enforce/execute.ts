import { spawn } from "node:child_process";
import { basename } from "node:path";
import { cannot, StoplogError } from "../core/errors.ts";

export interface Executed {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs one of the system's own programs to its end, without a shell, with text on its standard input. Rejects with a StoplogError when it
 * cannot be started, or prints more than is ever read.
 */
export function execute(path: string, args: readonly string[], input: string): Promise<Executed> {
  const name = basename(path);
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { stdio: ["pipe", "pipe", "pipe"] });
    const stdout: Buffer[] = [];
    let printed = 0;
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.length;
      if (printed <= MOST_OUTPUT) stdout.push(chunk);
      else child.kill("SIGKILL");
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (stderr.length < 4096) stderr += text;
    });
    child.on("error", (error) => reject(cannot(`run ${name}`, error)));
    // A program that ends early leaves the rest of its input unread: its exit status says more than EPIPE does.
    child.stdin.on("error", () => {});
    child.on("close", (status) => {
      if (printed > MOST_OUTPUT) {
        reject(new StoplogError(`Cannot list the bans in the kernel: ${name} printed more than 32 MiB`));
      } else resolve({ status: status ?? -1, stdout: Buffer.concat(stdout).toString("utf8"), stderr });
    });
    child.stdin.end(input);
  });
}

/** More than this is not read from a program: some 100,000 bans. */
const MOST_OUTPUT = 32 * 1024 * 1024;

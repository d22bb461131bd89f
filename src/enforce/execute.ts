import { basename } from "node:path";
import { StoplogError } from "../core/errors.ts";
import { runProgram } from "../core/run-program.ts";

export interface Executed {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one of the system's own programs. Rejects with a StoplogError if it cannot be started, or prints too much. */
export async function execute(path: string, args: readonly string[], input: string): Promise<Executed> {
  const ended = await runProgram([path, ...args], { input, mostOutput: MOST_OUTPUT });
  if (ended.how === "not started") throw new StoplogError(`Cannot run ${basename(path)}: ${ended.fact}`);
  if (ended.how === "printed too much")
    throw new StoplogError(`Cannot list the bans in the kernel: ${basename(path)} printed more than 32 MiB`);
  return { status: ended.status ?? -1, stdout: ended.stdout.toString("utf8"), stderr: ended.stderr };
}

/** Some 100,000 bans. */
const MOST_OUTPUT = 32 * 1024 * 1024;

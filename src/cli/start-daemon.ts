import { postponeOptimizing } from "../daemon/optimizer.ts";
import { failed } from "./failed.ts";
import type { ExitStatus } from "./output/io.ts";
import { readRunArguments } from "./run-arguments.ts";
import { runCommand } from "./run-command.ts";

/**
 * `stoplog run` with plain arguments, as a service starts it; null for others. The build makes one file of this and of everything that the daemon
 * loads (dist/daemon.cjs): finding, linking and compiling a hundred modules takes 100 ms. It
 * leaves the streams of standard input and output alone: making them takes 10 ms.
 */
export async function startDaemon(args: readonly string[]): Promise<ExitStatus | null> {
  const options = readRunArguments(args);
  if (options === null) return null;
  postponeOptimizing();
  try {
    return await runCommand(options, process.env);
  } catch (error) {
    return failed(error, process);
  }
}

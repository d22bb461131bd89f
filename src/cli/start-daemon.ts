import { postponeOptimizing } from "../daemon/optimizer.ts";
import { Cli } from "./cli.ts";
import { failed } from "./failed.ts";
import type { ExitStatus, Io } from "./output/io.ts";
import { readRunArguments } from "./run-arguments.ts";
import { runCommand } from "./run-command.ts";

/**
 * `stoplog run` with plain arguments, as a service starts it; null for others. The build makes one file of this and of everything that the daemon
 * loads (dist/daemon.cjs): finding, linking and compiling a hundred modules takes 100 ms.
 */
export async function startDaemon(args: readonly string[], io: Io): Promise<ExitStatus | null> {
  const options = readRunArguments(args);
  if (options === null) return null;
  postponeOptimizing();
  try {
    return await runCommand(options, new Cli(io));
  } catch (error) {
    return failed(error, io);
  }
}

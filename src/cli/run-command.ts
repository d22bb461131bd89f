import { StoplogError } from "../core/errors.ts";
import { configPlace } from "./config-path.ts";
import { COULD_NOT, DONE, type ExitStatus, NEGATIVE } from "./output/io.ts";
import type { RunArguments } from "./run-arguments.ts";
import { socketPathOf } from "./socket-path.ts";

/** `stoplog run`, however its arguments were read. */
export async function runCommand(options: RunArguments, env: NodeJS.ProcessEnv): Promise<ExitStatus> {
  if (options.takeover === true && (options.dryRun === true || options.flush === true))
    throw new StoplogError("Cannot take over with --dry-run or --flush");
  const { runDaemon } = await import("../daemon/run.ts");
  const code = await runDaemon({
    configPlace: configPlace(options),
    dryRun: options.dryRun ?? false,
    flushOnExit: (options.flushOnExit ?? false) || (options.flush ?? false),
    onlyFlush: options.flush ?? false,
    takeover: options.takeover ?? false,
    socketPath: socketPathOf(options, env),
  });
  return code === DONE || code === NEGATIVE ? code : COULD_NOT;
}

import type { ConfigPlace } from "../config/config-place.ts";
import { StoplogError } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import { type LogStats, openLog } from "../observe/log.ts";
import { keptReading } from "./kept-reading.ts";
import { Readings } from "./readings.ts";

export interface RunOptions {
  readonly configPlace: ConfigPlace;
  readonly dryRun: boolean;
  /** Whether bans are removed from the kernel at the end. */
  readonly flushOnExit: boolean;
  /** Whether it ends as soon as it has started. */
  readonly onlyFlush: boolean;
  /** Whether it takes over from a daemon that runs. */
  readonly takeover: boolean;
  readonly socketPath: string;
}

/** `stoplog run`: the daemon in the foreground until a signal ends it. Resolves to the exit status. */
export async function runDaemon(options: RunOptions): Promise<number> {
  const readings = new Readings(options.configPlace, keptReading(options.socketPath, options.configPlace));
  // Loads the rest of the program while a second process reads the configuration.
  const [{ config, errors, description, filters }, serving] = await Promise.all([
    readings.first(),
    import("./serve.ts"),
  ]);
  if (config === null) {
    for (const error of errors) process.stderr.write(`${printable(error)}\n`);
    return 2;
  }
  const logStats: LogStats = { written: 0, lost: 0 };
  const logging = { ...config.log, fd: 2 };
  const log = openLog(logging, logStats);
  for (const line of [...description, ...config.notes, ...(config.imported?.differences ?? [])])
    log.info(line);
  try {
    return await serving.serve({ config, filters }, { ...options, readings }, { log, logStats, logging });
  } catch (error) {
    if (!(error instanceof StoplogError)) throw error;
    log.error(error.message);
    return 2;
  }
}

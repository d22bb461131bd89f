import { openControlSocket } from "../api/server.ts";
import { builtInConfig } from "../config/built-in.ts";
import { describeConfig } from "../config/describe.ts";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { thisMachine } from "../config/machine.ts";
import { systemClock } from "../core/clock.ts";
import { factOf, StoplogError } from "../core/errors.ts";
import { type Log, type LogStats, openLog } from "../observe/log.ts";
import { Daemon } from "./daemon.ts";
import { notifySystemd, watchdogPeriod } from "./notify.ts";
import { version } from "./version.ts";

export interface RunOptions {
  /** Null for the built-in configuration. */
  readonly configPath: string | null;
  readonly dryRun: boolean;
  /** Whether bans are taken out of the kernel at the end. */
  readonly flushOnExit: boolean;
  readonly socketPath: string;
  /** Instead of the configuration's. */
  readonly stateDirectory?: string;
}

/** `stoplog run`: the daemon in the foreground until a signal ends it. Answers the exit status. */
export async function runDaemon(options: RunOptions): Promise<number> {
  const { config, errors } = readConfiguration(options);
  if (config === null) {
    for (const error of errors) process.stderr.write(`${error}\n`);
    return 2;
  }
  const logStats: LogStats = { written: 0, lost: 0 };
  const log = openLog({ ...config.log, fd: 2 }, logStats);
  for (const line of describeConfig(config)) log.info(line);
  for (const note of config.notes) log.info(note);
  try {
    return await serve(config, options, log, logStats);
  } catch (error) {
    if (!(error instanceof StoplogError)) throw error;
    log.error(error.message);
    return 2;
  }
}

function readConfiguration(options: RunOptions): { config: Config | null; errors: readonly string[] } {
  const read =
    options.configPath === null
      ? { config: builtInConfig(thisMachine(systemClock.now())), errors: [] }
      : loadConfig(options.configPath);
  if (read.config === null || options.stateDirectory === undefined) return read;
  return { config: { ...read.config, stateDirectory: options.stateDirectory }, errors: read.errors };
}

async function serve(config: Config, options: RunOptions, log: Log, logStats: LogStats): Promise<number> {
  const make = (dryRun: boolean): Daemon =>
    new Daemon(config, {
      clock: systemClock,
      log,
      logStats,
      version,
      dryRun,
      reread: () => readConfiguration(options),
    });
  let daemon = make(options.dryRun);
  // The socket comes first: it is what tells that another stoplog holds the firewall already.
  const control = await openControlSocket(options.socketPath, () => daemon);
  try {
    try {
      await daemon.start();
    } catch (error) {
      // Without a configuration nobody has asked for a certain protection: show what would be done, and say why.
      if (options.configPath !== null || options.dryRun || !(error instanceof StoplogError)) throw error;
      log.warn(`${error.message}; goes on as a dry run: nothing will be banned`);
      await daemon.stop({ flush: false });
      daemon = make(true);
      await daemon.start();
    }
    log.info(`Stoplog ${version} watches (process ${process.pid}, control socket ${options.socketPath})`);
    const signal = await untilSignal(daemon, log);
    log.info(`Stops: ${signal}`);
    notifySystemd("STOPPING=1");
  } finally {
    await control.close();
    await daemon.stop({ flush: options.flushOnExit });
  }
  return 0;
}

/** Runs until SIGTERM or SIGINT; SIGHUP reloads. */
function untilSignal(daemon: Daemon, log: Log): Promise<NodeJS.Signals> {
  const period = watchdogPeriod();
  const watchdog = period === null ? null : setInterval(() => notifySystemd("WATCHDOG=1"), period);
  const reload = (): void => {
    daemon.reload().catch((error: unknown) => log.error(`Cannot reload: ${factOf(error)}`));
  };
  process.on("SIGHUP", reload);
  notifySystemd("READY=1");
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      if (watchdog !== null) clearInterval(watchdog);
      process.off("SIGHUP", reload);
      resolve(signal);
    };
    process.once("SIGTERM", stop);
    process.once("SIGINT", stop);
  });
}

import { type ControlStats, openControlSocket } from "../api/server.ts";
import { systemClock } from "../core/clock.ts";
import { factOf, StoplogError } from "../core/errors.ts";
import { type Duration, SECOND } from "../core/time.ts";
import type { Log, LogStats } from "../observe/log.ts";
import { Daemon } from "./daemon.ts";
import type { Settings } from "./feature.ts";
import { notifySystemd, watchdogPeriod } from "./systemd.ts";
import { startOptimizing } from "./optimizer.ts";
import { readApart } from "./read-apart.ts";
import type { RunOptions } from "./run.ts";
import { version } from "./version.ts";

/** Runs the daemon until a signal ends it; resolves to the exit status. Rejects with a StoplogError when it cannot start. */
export async function serve(
  settings: Settings,
  options: RunOptions,
  log: Log,
  logStats: LogStats,
): Promise<number> {
  const controlStats: ControlStats = { turnedAway: 0, tooLong: 0 };
  const reread = () => readApart(options.configPath);
  const make = (dryRun: boolean): Daemon =>
    new Daemon(settings, {
      clock: systemClock,
      log,
      logStats,
      controlStats,
      version,
      dryRun,
      reread,
    });
  let daemon = make(options.dryRun);
  // The socket first: it shows whether another stoplog already runs.
  const control = await openControlSocket(options.socketPath, () => daemon, controlStats);
  try {
    try {
      await daemon.start();
    } catch (error) {
      // Without a configuration file, a dry run shows what would be banned, and why bans are impossible.
      if (options.configPath !== null || options.dryRun || !(error instanceof StoplogError)) throw error;
      log.warn(`${error.message}; continuing as a dry run: nothing will be banned`);
      daemon = make(true);
      await daemon.start();
    }
    startOptimizing();
    log.info(`Stoplog ${version} watches (process ${process.pid}, control socket ${options.socketPath})`);
    const signal = await untilSignal(daemon, log);
    log.info(`Stopping: ${signal}`);
    notifySystemd("STOPPING=1");
    endInAnyCase(log);
  } finally {
    await control.close();
    await daemon.stop({ flush: options.flushOnExit });
  }
  return 0;
}

/** Ends a process that hangs while it stops. A timer of its own: the daemon's tick is off by then. */
function endInAnyCase(log: Log): void {
  setTimeout(() => {
    log.error(`Cannot stop cleanly within ${LONGEST_STOP / SECOND} s: exiting`);
    process.exit(1);
  }, LONGEST_STOP).unref();
}

const LONGEST_STOP: Duration = 30 * SECOND;

/** Runs until SIGTERM or SIGINT; SIGHUP reloads. */
function untilSignal(daemon: Daemon, log: Log): Promise<NodeJS.Signals> {
  const period = watchdogPeriod();
  // A timer of its own: systemd sets its period, which may be shorter than the daemon's tick.
  const watchdog = period === null ? null : setInterval(() => notifySystemd("WATCHDOG=1"), period);
  const reload = (): void => {
    daemon.reload().catch((error: unknown) => log.error(`Cannot reload: ${factOf(error)}`));
  };
  process.on("SIGHUP", reload);
  notifySystemd("READY=1");
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      if (watchdog !== null) clearInterval(watchdog);
      // SIGHUP keeps its handler, and the daemon refuses the reload: without a handler SIGHUP would kill the process.
      resolve(signal);
    };
    process.once("SIGTERM", stop);
    process.once("SIGINT", stop);
  });
}

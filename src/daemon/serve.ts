import { dirname } from "node:path";
import { type ControlStats, openControlSocket } from "../api/server.ts";
import { systemClock } from "../core/clock.ts";
import { factOf, StoplogError } from "../core/errors.ts";
import { type Duration, SECOND } from "../core/time.ts";
import type { Log } from "../observe/log.ts";
import type { FileLock } from "../kernel/native/file-lock.ts";
import { Daemon, type DaemonDeps } from "./daemon.ts";
import { lockSocket } from "./locks.ts";
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
  { log, logStats, logging }: OpenLog,
): Promise<number> {
  const controlStats: ControlStats = { turnedAway: 0, tooLong: 0 };
  const reread = () => readApart(options.configPath);
  const make = (dryRun: boolean): Daemon =>
    new Daemon(settings, {
      clock: systemClock,
      log,
      logStats,
      logging,
      controlStats,
      version,
      dryRun,
      lockFolder: dirname(options.socketPath),
      reread,
    });
  let daemon = make(options.dryRun);
  // Before the start: without a handler, SIGTERM and SIGHUP would end the process in the middle of it.
  const signals = takeSignals(() => daemon, log);
  // The socket first: it shows whether another stoplog already runs.
  const lock = takeSocket(options.socketPath, log);
  const control = await openControlSocket(options.socketPath, () => daemon, controlStats).catch((error) => {
    lock?.release();
    throw error;
  });
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
    if (!options.onlyFlush) {
      const stopWatchdog = startWatchdog();
      const signal = await signals.end;
      stopWatchdog();
      log.info(`Stopping: ${signal}`);
    }
    notifySystemd("STOPPING=1");
  } finally {
    await control.close();
    lock?.release();
    await daemon.stop({ flush: options.flushOnExit });
  }
  return 0;
}

/** The daemon's log, what it counts, and its level. */
interface OpenLog extends Pick<DaemonDeps, "log" | "logStats" | "logging"> {}

/** Only the holder of the lock may remove a socket at that path. Null where it cannot be locked: the folder may belong to another user. */
function takeSocket(path: string, log: Log): FileLock | null {
  try {
    return lockSocket(path);
  } catch (error) {
    if (error instanceof StoplogError) throw error;
    log.warn(`Cannot lock the control socket: ${factOf(error)}`);
    return null;
  }
}

/** Ends a process that hangs while it stops. A timer of its own: the daemon's tick is off by then. */
function endInAnyCase(log: Log): void {
  setTimeout(() => {
    log.error(`Cannot stop cleanly within ${LONGEST_STOP / SECOND} s: exiting`);
    process.exit(1);
  }, LONGEST_STOP).unref();
}

const LONGEST_STOP: Duration = 30 * SECOND;

/** SIGHUP reloads; `end` resolves at SIGTERM or SIGINT, which during the start wait for its end. */
function takeSignals(daemon: () => Daemon, log: Log): { readonly end: Promise<NodeJS.Signals> } {
  const reload = (): void => {
    daemon()
      .reload()
      .catch((error: unknown) => log.error(`Cannot reload: ${factOf(error)}`));
  };
  // It keeps its handler to the end, when the daemon refuses a reload.
  process.on("SIGHUP", reload);
  const end = new Promise<NodeJS.Signals>((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      endInAnyCase(log);
      resolve(signal);
    };
    process.once("SIGTERM", stop);
    process.once("SIGINT", stop);
  });
  return { end };
}

/** Tells systemd that the daemon is ready, and that it is alive as often as systemd asks. Returns a function that ends it. */
function startWatchdog(): () => void {
  const period = watchdogPeriod();
  // A timer of its own: systemd sets its period, which may be shorter than the daemon's tick.
  const watchdog = period === null ? null : setInterval(() => notifySystemd("WATCHDOG=1"), period);
  notifySystemd("READY=1");
  return () => {
    if (watchdog !== null) clearInterval(watchdog);
  };
}

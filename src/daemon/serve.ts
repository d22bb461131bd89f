import { dirname } from "node:path";
import { type ControlStats, openControlSocket } from "../api/server.ts";
import { isBuiltIn } from "../config/config-place.ts";
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
import type { Readings } from "./readings.ts";
import type { ReadConfig } from "./read-apart.ts";
import { sayUnusedSockets, takeSystemdSockets } from "./systemd-sockets.ts";
import type { Estate } from "./takeover/estate.ts";
import { type Heir, HandOver } from "./takeover/hand-over.ts";
import { takeOver, type Takeover } from "./takeover/take-over.ts";
import type { RunOptions } from "./run.ts";
import { version } from "./version.ts";

/**
 * Runs the daemon until a signal ends it or another process has taken over; resolves to the exit status. Rejects with a StoplogError when it cannot
 * start.
 */
export async function serve(
  settings: Settings,
  options: RunOptions & { readonly readings: Readings },
  { log, logStats, logging }: OpenLog,
): Promise<number> {
  const controlStats: ControlStats = { turnedAway: 0, tooLong: 0 };
  const handOver = new HandOver(options.socketPath);
  const { readings } = options;
  const reread = async (): Promise<ReadConfig> => {
    const read = await readings.again();
    void readings.keep(log);
    return read;
  };
  const make = (dryRun: boolean, following: Settings): Daemon =>
    new Daemon(following, {
      clock: systemClock,
      log,
      logStats,
      logging,
      controlStats,
      version,
      dryRun,
      lockFolder: dirname(options.socketPath),
      reread,
      handOver: () => handOver.offer(),
    });
  const parts = { options, log, controlStats, handOver, make, readings };
  takeSystemdSockets((sentence) => log.warn(sentence));
  // The last step before the start: everything that can fail by itself is done.
  const takeover = options.takeover ? await takeOver(options.socketPath, (line) => log.info(line)) : null;
  let current = make(options.dryRun, settings);
  // Before the start: without a handler, SIGTERM and SIGHUP would end the process in the middle of it.
  const signals = takeSignals(() => current, log);
  const started = (daemon: Daemon): void => void (current = daemon);
  let isOver = await runOnce(current, { ...parts, takeover, signals, started });
  while (!isOver) {
    current = make(options.dryRun, current.settings);
    isOver = await runOnce(current, { ...parts, takeover: null, signals, started });
  }
  return 0;
}

interface RunParts {
  readonly options: RunOptions;
  readonly readings: Readings;
  readonly log: Log;
  readonly controlStats: ControlStats;
  readonly handOver: HandOver;
  readonly takeover: Takeover | null;
  readonly signals: Signals;
  readonly make: (dryRun: boolean, following: Settings) => Daemon;
  /** Called when another daemon than the first one starts. */
  readonly started: (daemon: Daemon) => void;
}

/** Resolves to false when the daemon has handed over to a process that then failed: it must start again. */
async function runOnce(daemon: Daemon, parts: RunParts): Promise<boolean> {
  const { options, readings, log, controlStats, handOver, takeover, signals, make, started } = parts;
  let left: { readonly heir: Heir; readonly estate: Estate } | null = null;
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
      const mayTry = isBuiltIn(options.configPlace) && !options.dryRun && takeover === null;
      if (!mayTry || !(error instanceof StoplogError)) throw error;
      log.warn(`${error.message}; continuing as a dry run: nothing will be banned`);
      daemon = make(true, daemon.settings);
      started(daemon);
      await daemon.start();
    }
    // A signal that came meanwhile: the old daemon, which waits, starts again.
    if (takeover !== null && signals.aborted.aborted) return true;
    takeover?.confirm();
    sayUnusedSockets((sentence) => log.warn(sentence));
    startOptimizing();
    log.info(`Stoplog ${version} watches (process ${process.pid}, control socket ${options.socketPath})`);
    if (!options.onlyFlush) {
      void readings.keep(log);
      const stopWatchdog = startWatchdog();
      const end = await Promise.race([signals.end, handOver.asked]);
      stopWatchdog();
      if (typeof end === "string") log.info(`Stopping: ${end}`);
      else {
        log.info(`Handing over to process ${end.pid}`);
        left = { heir: end, estate: handOver.begin() };
      }
    }
    notifySystemd("STOPPING=1");
  } finally {
    await control.close();
    lock?.release();
    await daemon.stop({ flush: options.flushOnExit && left === null });
  }
  if (left === null) return true;
  const isTaken = await handOver.finish(left.heir, left.estate, signals.aborted);
  if (isTaken) log.info(`Process ${left.heir.pid} has taken over`);
  else log.error(`Process ${left.heir.pid} ended before it had taken over: starting again`);
  return isTaken;
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

interface Signals {
  readonly end: Promise<NodeJS.Signals>;
  /** Aborts when `end` resolves. */
  readonly aborted: AbortSignal;
}

/** SIGHUP reloads; `end` resolves at SIGTERM or SIGINT, which during the start wait for its end. */
function takeSignals(daemon: () => Daemon, log: Log): Signals {
  const reload = (): void => {
    daemon()
      .reload()
      .catch((error: unknown) => log.error(`Cannot reload: ${factOf(error)}`));
  };
  // It keeps its handler to the end, when the daemon refuses a reload.
  process.on("SIGHUP", reload);
  const abort = new AbortController();
  const end = new Promise<NodeJS.Signals>((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      endInAnyCase(log);
      abort.abort();
      resolve(signal);
    };
    process.once("SIGTERM", stop);
    process.once("SIGINT", stop);
  });
  return { end, aborted: abort.signal };
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

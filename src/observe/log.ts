import { writeSync } from "node:fs";
import { counter, type CountsOf, declareMetrics } from "../core/metrics.ts";
import { excerpt } from "../core/printable.ts";

/** The daemon's own log: one sentence a line. */
export interface Log {
  error(sentence: string): void;
  warn(sentence: string): void;
  info(sentence: string): void;
  debug(sentence: string): void;
}

export type LogLevel = keyof Log;

export interface LogOptions {
  /** Looked up for each line, so that it can be changed. */
  readonly level: LogLevel;
  /** `text` for people and journald, `json` for machines. */
  readonly format: "text" | "json";
  /** A file descriptor. */
  readonly fd: number;
}

/** Lines written and lost. */
export const LOG_METRICS = declareMetrics(
  { at: "log" },
  {
    written: counter("stoplog_log_lines_total", "Lines that Stoplog wrote to its own log."),
    lost: counter(
      "stoplog_log_lines_lost_total",
      "Lines that could not be written: the disk or the pipe is full.",
    ),
  },
);

export type LogStats = CountsOf<typeof LOG_METRICS>;

/**
 * A line that cannot be written is counted and dropped: neither a full disk nor a slow reader may stop the daemon. Control characters
 * are escaped: sentences may quote text of an attacker.
 */
export function openLog(options: LogOptions, stats: LogStats): Log {
  const { format, fd } = options;
  const write = (at: LogLevel, sentence: string): void => {
    if (LEVELS.indexOf(at) > LEVELS.indexOf(options.level)) return;
    const time = new Date().toISOString();
    const clean = excerpt(sentence, LONGEST);
    const line =
      format === "json" ? JSON.stringify({ time, level: at, msg: clean }) : textOf(time, at, clean);
    try {
      writeSync(fd, `${line}\n`);
      stats.written++;
    } catch {
      stats.lost++;
    }
  };
  return {
    error: (sentence) => write("error", sentence),
    warn: (sentence) => write("warn", sentence),
    info: (sentence) => write("info", sentence),
    debug: (sentence) => write("debug", sentence),
  };
}

const LEVELS: readonly LogLevel[] = ["error", "warn", "info", "debug"];

/** Characters of a line. journald takes lines of 48 KiB. */
const LONGEST = 8000;

/** `2026-11-20T14:44:48.123Z warn  sentence`; under journald, which adds the time, the level is a prefix (sd-daemon(3)). */
function textOf(time: string, level: LogLevel, sentence: string): string {
  if (process.env["JOURNAL_STREAM"] !== undefined) return `<${PRIORITIES[level]}>${sentence}`;
  return `${time} ${level.padEnd(5)} ${sentence}`;
}

const PRIORITIES: Readonly<Record<LogLevel, number>> = { error: 3, warn: 4, info: 6, debug: 7 };

import { writeSync } from "node:fs";
import pino, { type Logger } from "pino";

export type Log = Pick<Logger, "info" | "warn" | "error" | "debug">;

export interface LogOptions {
  readonly level: "error" | "warn" | "info" | "debug";
  readonly format: "text" | "json";
  /** A file descriptor. */
  readonly fd: number;
}

/** What became of the log's own lines. */
export interface LogStats {
  written: number;
  /** Lines that could not be written: the disk is full, the pipe is. */
  lost: number;
}

/**
 * The daemon's own log: whole sentences, one a line. A line that cannot be written is counted and forgotten: neither a full
 * disk nor a slow reader may stop the daemon.
 */
export function openLog(options: LogOptions, stats: LogStats): Log {
  const toText = options.format === "text" ? textOf : (line: string): string => line;
  const stream = {
    write(line: string): void {
      try {
        writeSync(options.fd, toText(line));
        stats.written++;
      } catch {
        stats.lost++;
      }
    },
  };
  return pino({ level: options.level, base: null }, stream);
}

/** `2026-11-20T14:44:48.123Z warn  sentence`; under journald the time is left to it. */
function textOf(line: string): string {
  const entry = JSON.parse(line) as { level: number; time: number; msg?: string };
  const time = process.env["JOURNAL_STREAM"] === undefined ? `${new Date(entry.time).toISOString()} ` : "";
  return `${time}${(LEVELS[entry.level] ?? "info").padEnd(5)} ${entry.msg ?? ""}\n`;
}

const LEVELS: Readonly<Record<number, string>> = {
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "fatal",
};

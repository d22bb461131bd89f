import type { JournalEntry } from "./export-format.ts";

/** The fields used in a line. */
export const LINE_FIELDS: readonly string[] = [
  "MESSAGE",
  "SYSLOG_IDENTIFIER",
  "_COMM",
  "_PID",
  "SYSLOG_PID",
  "_HOSTNAME",
];

/**
 * The entry as a line of a log file, without an LF: `2026-11-20T14:03:07.123456Z host sshd[42]: message`. LF, CR and NUL become
 * spaces: they would end the line early, or hide the rest of it.
 */
export function entryLine(entry: JournalEntry): string {
  const time = rfc3339(entry.get("__REALTIME_TIMESTAMP") ?? "");
  const program = entry.get("SYSLOG_IDENTIFIER") ?? entry.get("_COMM") ?? "unknown";
  const pid = entry.get("_PID") ?? entry.get("SYSLOG_PID");
  const from = pid === undefined || program === "kernel" ? program : `${program}[${pid}]`;
  const host = entry.get("_HOSTNAME") ?? "localhost";
  const line = `${time}${host} ${from}: ${entry.get("MESSAGE") ?? ""}`.replace(/[\n\r\0]+$/, "");
  return BREAKS.test(line) ? line.replace(ALL_BREAKS, " ") : line;
}

const BREAKS = /[\n\r\0]/;
const ALL_BREAKS = /[\n\r\0]/g;

let second = "";
let secondText = "";

/** Formats microseconds since 1970, with a trailing space. Caches the text of the last second. */
function rfc3339(micros: string): string {
  if (!/^\d{7,16}$/.test(micros)) return "";
  const seconds = micros.slice(0, -6);
  if (seconds !== second) {
    second = seconds;
    secondText = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  }
  return `${secondText}.${micros.slice(-6)}Z `;
}

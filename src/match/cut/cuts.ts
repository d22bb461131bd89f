import { LIMITS } from "../../core/limits.ts";

/** Tells which lines lack their end, so that no pattern takes the cut for the end of the line. */
export interface Cuts {
  /** Shorter lines are whole. In bytes. */
  readonly least: number;
  /** Whether a line may be cut. `length` is in bytes, with a CR before its LF; `line` has one character per byte and no line end. */
  isCut(line: string, length: number): boolean;
}

/**
 * Lengths at which programs cut the lines that they write, in bytes: rsyslogd's $MaxMessageSize (8096 by default, seen with 8.2302; often set to
 * 8k), the buffers of Apache httpd's error log and of exim (8192), journald's LineMax (48 KiB), syslog-ng's log-msg-size (64 KiB). Left to
 * the user, because whole lines often have that length: 1024 (RFC 3164, musl's syslog()) and 2048 (the BSDs' syslogd).
 */
export const CUT_LENGTHS: readonly number[] = [8096, 8192, 49_152, 65_536];

/**
 * A line is cut where its source cuts it, at `maxLine`. A line that begins with a date may have been cut by its writer before, at about
 * one of `lengths`: the writer counts the priority in, and not always the host's name and the date. nginx's own error log is cut at 2047
 * bytes, exactly.
 */
export function cutsAt(
  maxLine: number = LIMITS.lineBytes.value,
  lengths: readonly number[] = CUT_LENGTHS,
): Cuts {
  // A CR at the cut is taken for a part of the line end.
  const bound = maxLine - 1;
  const ranges = lengths.map((length) => [length - SHORTENED, length + LENGTHENED] as const);
  return {
    least: Math.min(bound, NGINX_LENGTH, ...ranges.map(([from]) => from)),
    isCut: (line, length) =>
      length >= bound ||
      (length === NGINX_LENGTH && NGINX.test(line)) ||
      (ranges.some(([from, to]) => length >= from && length <= to) && DATED.test(line)),
  };
}

/** Bytes. A priority, and what a date in RFC 5424 is longer than in RFC 3164. */
const SHORTENED = 64;
/** Bytes. The longest host name of Linux, and what the other date is longer. */
const LENGTHENED = 128;

/** NGX_MAX_ERROR_STR without the line feed. */
const NGINX_LENGTH = 2047;
const NGINX = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[/;

/** `Nov 20`, `2026-11-20`, `2026/11/20`, `[`, with or without syslog's priority. */
const DATED = /^(?:<\d{1,3}>(?:1 )?)?(?:\[|[A-Z][a-z]{2} {1,2}\d|\d{4}[-/]\d\d[-/]\d\d)/;

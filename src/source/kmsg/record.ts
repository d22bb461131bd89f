import { LF } from "../../core/ascii.ts";

/**
 * One record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg), as returned by one read(2):
 *
 *      6,339,5140900,-,caller=T1;text of the message\x0asecond line LF
 *       SUBSYSTEM=net LF                                                    added by the kernel: skipped
 *      priority, sequence, µs since boot, flags, …; text
 *
 * One object is reused for all records.
 */
export class KmsgRecord {
  /** Facility × 8 + severity, as in syslog. */
  priority = 0;
  /** The kernel numbers all records since boot. */
  sequence = 0;
  /** Timestamp in µs, from the kernel's local clock, which stops while the machine sleeps. */
  micros = 0;
  /** Range of the text, still escaped; `end` is exclusive. */
  start = 0;
  end = 0;

  /** False when the bytes are not a record. */
  read(bytes: Uint8Array, length: number): boolean {
    const priorityEnd = numberEnd(bytes, 0, length);
    const sequenceEnd = numberEnd(bytes, priorityEnd + 1, length);
    const microsEnd = numberEnd(bytes, sequenceEnd + 1, length);
    if (bytes[priorityEnd] !== COMMA || bytes[sequenceEnd] !== COMMA || bytes[microsEnd] !== COMMA)
      return false;
    const header = bytes.indexOf(SEMICOLON, microsEnd);
    if (header < 0 || header >= length) return false;
    const lf = bytes.indexOf(LF, header);
    this.priority = numberAt(bytes, 0, priorityEnd);
    this.sequence = numberAt(bytes, priorityEnd + 1, sequenceEnd);
    this.micros = numberAt(bytes, sequenceEnd + 1, microsEnd);
    this.start = header + 1;
    this.end = lf < 0 || lf > length ? length : lf;
    return true;
  }
}

/** True for facility LOG_KERN (syslog(3)). Programs that write to /dev/kmsg cannot use it: the kernel replaces it. */
export function isFromKernel({ priority }: KmsgRecord): boolean {
  return priority >>> 3 === 0;
}

const COMMA = 44;
const SEMICOLON = 59;

/** The offset after the digits, at most 20 of them; `length` when there is no digit. */
function numberEnd(bytes: Uint8Array, start: number, length: number): number {
  let i = start;
  while (i < length && i < start + 20 && bytes[i]! >= 48 && bytes[i]! <= 57) i++;
  return i === start ? length : i;
}

function numberAt(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) value = value * 10 + bytes[i]! - 48;
  return value;
}

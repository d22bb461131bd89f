import { latin1 } from "../line-text.ts";
import type { Bytes, Wrapping } from "./container-line.ts";

/**
 * A line of a container as containerd and CRI-O write it (Kubernetes' CRI logging format). A piece of a line that was cut has P instead of F, the
 * last one has F; more tags may follow behind colons:
 *
 *      2026-11-20T14:44:48.123456789Z stderr F the program's line
 */
export const CRI: Wrapping = {
  mayBe: (line) => headOf(line) !== null,
  read: (line, out, at) => {
    const head = headOf(line);
    if (head === null) return null;
    const { bytes, from, to } = line;
    const [text = "", time = "", stream, tag] = head;
    const end = at + bytes.copy(out, at, from + text.length, to);
    const isWhole = tag === "F";
    const withoutCr = isWhole && end > at && out[end - 1] === CR ? end - 1 : end;
    return { end: withoutCr, isWhole, stream: stream === "stdout" ? "stdout" : "stderr", time };
  },
};

const CR = 0x0d;
const HEAD =
  /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}(?:Z|[+-]\d\d:\d\d)) (stdout|stderr) ([FP])(?::[\w:]{0,32})? /;
/** Bytes. The longest that the pattern takes. */
const LONGEST_HEAD = 90;

function headOf({ bytes, from, to }: Bytes): RegExpExecArray | null {
  // The century of the date, and the T: other lines cost two comparisons.
  if (bytes[from] !== 0x32 || bytes[from + 10] !== 0x54) return null;
  return HEAD.exec(latin1(bytes, from, Math.min(to, from + LONGEST_HEAD)));
}

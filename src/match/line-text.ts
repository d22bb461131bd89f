import { LF } from "../core/ascii.ts";

/** The text of a line without LF or CR LF, one character per byte; `end` is behind its LF. */
export function lineText(bytes: Buffer, from: number, end: number): string {
  let to = end;
  if (to > from && bytes[to - 1] === LF) to--;
  if (to > from && bytes[to - 1] === CR) to--;
  return latin1(bytes, from, to);
}

/** One character per byte. `latin1Slice` is Node's own, missing in its types, and the fastest way for short texts. */
export function latin1(bytes: Buffer, from: number, to: number): string {
  return (bytes as Latin1Buffer).latin1Slice(from, to);
}

interface Latin1Buffer extends Buffer {
  latin1Slice(from: number, to: number): string;
}

const CR = 13;

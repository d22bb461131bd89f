/** The line's text, one character a byte; `end` is behind its LF. A CR before the LF belongs to the line's end. */
export function lineText(bytes: Buffer, from: number, end: number): string {
  let to = end;
  if (to > from && bytes[to - 1] === LF) to--;
  if (to > from && bytes[to - 1] === CR) to--;
  return latin1(bytes, from, to);
}

/** One character for each byte. Node's own latin1Slice, which its types leave out, has the least to do before it copies. */
export function latin1(bytes: Buffer, from: number, to: number): string {
  return (bytes as Latin1Buffer).latin1Slice(from, to);
}

interface Latin1Buffer extends Buffer {
  latin1Slice(from: number, to: number): string;
}

const LF = 10;
const CR = 13;

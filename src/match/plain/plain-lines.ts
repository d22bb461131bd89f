import { LF } from "../../core/ascii.ts";
import type { LineBatch } from "../../core/batch.ts";
import { lineText } from "../line-text.ts";
import { mayHaveColours, withoutColours } from "./colours.ts";
import type { Wrapping } from "./container-line.ts";
import { CRI } from "./cri-line.ts";
import { DOCKER, JSON_ESC } from "./docker-line.ts";

/** A line as it is in the log, where the plain line differs from it. */
export interface Origin {
  /** The whole line, one character per byte. */
  readonly line: string;
  /** The time that a container's runtime adds; null without one. */
  readonly time: string | null;
  /** Whether the runtime cut the line, and this is its first piece. */
  readonly isPiece: boolean;
}

/** Lines as their programs wrote them. The bytes are valid until the next batch. */
export interface PlainBatch {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** The origin of the line that begins at this place; null when the log has the same. */
  readonly originOf: (lineStart: number) => Origin | null;
}

/**
 * Takes lines out of what a container's runtime puts around them, and terminal colours out of lines, before the prefilter and the patterns see
 * them. A batch without either is passed on as it is: it costs three searches for one byte.
 */
export class PlainLines {
  #out: Buffer = Buffer.alloc(0);
  #hasColours = false;
  /** Places of the rewritten lines in `#out`, in order, and what they were. */
  #starts: number[] = [];
  #rewritten: Rewritten[] = [];
  /** Logs and streams in which a runtime cut a line, whose other pieces follow. An attacker chooses where those begin. */
  readonly #cut = new WeakMap<object, Set<string>>();
  readonly #onlyLog = {};

  of(batch: LineBatch): PlainBatch {
    const { bytes, start, end } = batch;
    const wrapping = wrappingOf(bytes, start, end);
    const lines = bytes.subarray(start, end);
    this.#hasColours = mayHaveColours(lines) || (wrapping === DOCKER && lines.includes(JSON_ESC));
    if (wrapping === null && !this.#hasColours) return { bytes, start, end, originOf: NO_ORIGIN };
    this.#starts = [];
    this.#rewritten = [];
    // No line grows; the last one may get a line end.
    if (this.#out.length <= end - start) this.#out = Buffer.allocUnsafeSlow(end - start + 1);
    const length = this.#rewrite(batch, wrapping);
    const originOf = (place: number): Origin | null => this.#originOf(bytes, place);
    return { bytes: this.#out, start: 0, end: length, originOf };
  }

  #rewrite(batch: LineBatch, wrapping: Wrapping | null): number {
    const { bytes, start, end } = batch;
    let length = 0;
    for (let from = start; from < end;) {
      const newline = bytes.indexOf(LF, from);
      const next = newline < 0 || newline >= end ? end : newline + 1;
      length = this.#line(batch, { from, next }, wrapping, length);
      from = next;
    }
    return length;
  }

  /** Writes one line at `at`, and returns where the next one begins. */
  #line({ bytes, log }: LineBatch, { from, next }: Span, wrapping: Wrapping | null, at: number): number {
    const out = this.#out;
    const to = bytes[next - 1] === LF ? next - 1 : next;
    const inside = wrapping?.read({ bytes, from, to }, out, at) ?? null;
    const piece = inside === null ? "whole" : this.#pieceOf(log ?? this.#onlyLog, inside);
    if (piece === "rest") return at;
    let end = inside?.end ?? at + bytes.copy(out, at, from, to);
    if (this.#hasColours) end = withoutColours(out, at, end);
    if (end - at < to - from) {
      this.#starts.push(at);
      this.#rewritten.push({ from, next, time: inside?.time ?? null, isPiece: piece === "first" });
    }
    out[end++] = LF;
    return end;
  }

  /** Which piece this is of a line that the runtime cut. */
  #pieceOf(
    log: object,
    { stream, isWhole }: { stream: string; isWhole: boolean },
  ): "whole" | "first" | "rest" {
    let cut = this.#cut.get(log);
    if (isWhole) return cut?.delete(stream) === true ? "rest" : "whole";
    if (cut === undefined) this.#cut.set(log, (cut = new Set()));
    if (cut.has(stream)) return "rest";
    cut.add(stream);
    return "first";
  }

  #originOf(bytes: Buffer, place: number): Origin | null {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle]! < place) low = middle + 1;
      else high = middle;
    }
    const found = this.#starts[low] === place ? this.#rewritten[low] : undefined;
    if (found === undefined) return null;
    return { line: lineText(bytes, found.from, found.next), time: found.time, isPiece: found.isPiece };
  }
}

/** From the first byte of a line to one past its LF. */
interface Span {
  readonly from: number;
  readonly next: number;
}

interface Rewritten extends Span {
  readonly time: string | null;
  readonly isPiece: boolean;
}

const NO_ORIGIN = (): null => null;

/** One line (one character per byte, without its line end) as its program wrote it. */
export function plainLine(line: string): { readonly text: string; readonly origin: Origin | null } {
  const bytes = Buffer.from(line, "latin1");
  const plain = new PlainLines().of({ bytes, start: 0, end: bytes.length, backlog: false });
  return { text: lineText(plain.bytes, plain.start, plain.end), origin: plain.originOf(plain.start) };
}

/** A log has lines of one runtime or none. Looks at two of them: the first one can be torn. */
function wrappingOf(bytes: Buffer, start: number, end: number): Wrapping | null {
  const before = end - 2 < start ? -1 : bytes.lastIndexOf(LF, end - 2);
  const froms = before >= start ? [start, before + 1] : [start];
  for (const wrapping of [DOCKER, CRI])
    if (froms.some((from) => wrapping.mayBe({ bytes, from, to: end }))) return wrapping;
  return null;
}

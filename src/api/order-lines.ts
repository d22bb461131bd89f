import { setImmediate as nextTurn } from "node:timers/promises";
import { StoplogError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";

/**
 * The orders in a body, each as a line of JSON. A body holds one order, an array of orders, or one order a line. Of a line that is longer than an
 * order may be, only the beginning: enough to refuse it.
 *
 * Nothing here parses the body as a whole: nested JSON takes JSON.parse seconds. The array is split by its commas, in place, with turns
 * of the event loop in between, and each order is parsed by itself.
 */
export async function orderLinesOf(body: Buffer): Promise<Iterable<string>> {
  const start = afterBlanks(body, 0);
  if (body[start] === OPEN_ARRAY) await splitArray(body, start);
  return linesOf(body);
}

function* linesOf(body: Buffer): Generator<string> {
  const longest = LIMITS.orderBytes.value + 1;
  for (let at = afterBlanks(body, 0); at < body.length; at = afterBlanks(body, at)) {
    const found = body.indexOf(LINE_END, at);
    const end = found < 0 ? body.length : found;
    yield body.toString("utf8", at, Math.min(end, at + longest)).trimEnd();
    at = end + 1;
  }
}

/** Turns an array into lines: its commas become line ends, and its brackets and the line ends between its values become blanks. */
async function splitArray(body: Buffer, start: number): Promise<void> {
  const state: ArrayState = { depth: 0, inString: false, skips: false, item: "none", isDone: false };
  for (let at = start; at < body.length; at += PIECE) {
    if (at > start) await nextTurn();
    splitPiece(body, at, Math.min(at + PIECE, body.length), state);
  }
  if (!state.isDone) throw notJson();
}

interface ArrayState {
  depth: number;
  inString: boolean;
  /** The next byte of the string is escaped. */
  skips: boolean;
  /** Of the present item: `wanted` after a comma. */
  item: "none" | "wanted" | "some";
  /** The closing bracket was met. */
  isDone: boolean;
}

function splitPiece(body: Buffer, from: number, to: number, state: ArrayState): void {
  for (let i = from; i < to; i++) {
    const byte = body[i] ?? 0;
    if (state.inString) {
      if (state.skips) state.skips = false;
      else if (byte === BACKSLASH) state.skips = true;
      else if (byte === QUOTE) state.inString = false;
      continue;
    }
    if (isBlank(byte)) {
      body[i] = SPACE;
      continue;
    }
    if (state.isDone) throw notJson();
    if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      if (state.depth === 0) body[i] = SPACE;
      else state.item = "some";
      state.depth++;
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
      state.depth--;
      if (state.depth > 0) continue;
      if (byte === CLOSE_OBJECT || state.item === "wanted") throw notJson();
      body[i] = SPACE;
      state.isDone = true;
    } else if (byte === COMMA && state.depth === 1) {
      if (state.item !== "some") throw notJson();
      body[i] = LINE_END;
      state.item = "wanted";
    } else {
      state.item = "some";
      state.inString = byte === QUOTE;
    }
  }
}

function notJson(): StoplogError {
  return new StoplogError("Cannot read the request: it is not JSON");
}

function afterBlanks(body: Buffer, from: number): number {
  let at = from;
  while (at < body.length && isBlank(body[at] ?? 0)) at++;
  return at;
}

/** Space, tab, line feed or carriage return: JSON's white space. */
function isBlank(byte: number): boolean {
  return byte === SPACE || byte === LINE_END || byte === 9 || byte === 13;
}

/** Bytes between two turns: some tenths of a millisecond. */
const PIECE = 64 << 10;

const LINE_END = 10;
const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;
const OPEN_ARRAY = 91;
const BACKSLASH = 92;
const CLOSE_ARRAY = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

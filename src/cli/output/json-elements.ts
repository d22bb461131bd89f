import { StoplogError } from "../../core/errors.ts";

/** The longest element, in bytes: far above any ban, far below what would hurt. */
const MAX_ELEMENT = 1024 * 1024;

/**
 * The objects of a JSON array whose text comes in chunks, as many at a time as a chunk completes. A million bans are read so
 * without ever holding their text. Throws a StoplogError for anything that is not one array of objects.
 *
 *      [ {…}, {…}, {…     then   …}, {…} ]
 *        ╰─── yielded ─╯  carry  ╰── yielded
 */
export async function* jsonElements(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly unknown[]> {
  const reader = new ElementReader();
  for await (const chunk of chunks) {
    const elements = reader.read(chunk);
    if (elements.length > 0) yield elements;
  }
  if (!reader.ended) throw malformed("it broke off");
}

/** Invariant: `#carry` holds the bytes of the element that is open, from its `{` up to the end of the last chunk. */
class ElementReader {
  #depth = 0;
  #inString = false;
  #escaped = false;
  #carry: Buffer[] = [];
  #carried = 0;
  ended = false;

  read(chunk: Buffer): unknown[] {
    const elements: unknown[] = [];
    let start = this.#depth > 1 ? 0 : -1;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i] ?? 0;
      if (this.#inString) {
        this.#insideString(byte);
        continue;
      }
      switch (byte) {
        case QUOTE:
          if (this.#depth < 2) throw malformed("it is not an array of objects");
          this.#inString = true;
          break;
        case OPEN_BRACE:
        case OPEN_BRACKET:
          this.#enter(byte);
          if (this.#depth === 2 && start < 0) start = i;
          break;
        case CLOSE_BRACE:
        case CLOSE_BRACKET:
          this.#depth--;
          if (this.#depth === 1 && start >= 0) {
            elements.push(this.#complete(chunk.subarray(start, i + 1)));
            start = -1;
          }
          this.ended = this.#depth === 0;
          break;
      }
    }
    if (start >= 0) this.#keep(chunk.subarray(start));
    return elements;
  }

  #insideString(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#inString = false;
  }

  #enter(byte: number): void {
    const expected = this.#depth === 0 ? OPEN_BRACKET : this.#depth === 1 ? OPEN_BRACE : byte;
    if (this.ended || byte !== expected) throw malformed("it is not an array of objects");
    this.#depth++;
  }

  #keep(part: Buffer): void {
    // Copied, so that a short rest does not hold its whole chunk.
    this.#carry.push(Buffer.from(part));
    this.#carried += part.length;
    if (this.#carried > MAX_ELEMENT) throw malformed(`an element is longer than ${MAX_ELEMENT} bytes`);
  }

  #complete(part: Buffer): unknown {
    const bytes = this.#carried === 0 ? part : Buffer.concat([...this.#carry, part]);
    this.#carry = [];
    this.#carried = 0;
    try {
      return JSON.parse(bytes.toString("utf8")) as unknown;
    } catch (error) {
      throw new StoplogError("Cannot read the daemon's answer: it is not JSON", { cause: error });
    }
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

function malformed(fact: string): StoplogError {
  return new StoplogError(`Cannot read the daemon's answer: ${fact}`);
}

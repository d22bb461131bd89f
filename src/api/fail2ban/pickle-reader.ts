import { LIMITS } from "../../core/limits.ts";
import { BROKEN, PickleScalars, unreadable } from "./pickle-scalars.ts";
import { type Plain, Tuple } from "./plain.ts";

/**
 * Reads a pickle of protocol 0 to 5 that holds plain values: None, booleans, numbers, strings, bytes, lists, tuples and dictionaries.
 * Python's own reader calls whatever a pickle names; this one has no opcode that names, calls or builds anything. Throws a StoplogError.
 */
export function readPickle(bytes: Buffer): Plain {
  return new PickleReader(bytes).read();
}

/** The opcodes that end a container take the values since the last mark, so the stack has one array for each open mark. */
class PickleReader extends PickleScalars {
  readonly #marks: Plain[][] = [];
  #stack: Plain[] = [];
  /** Strings and bytes that the pickle refers to again; null for a container. */
  readonly #memo = new Map<number, { readonly value: string | Uint8Array } | null>();
  #values = 0;

  /** The opcodes of containers, by protocol. Whatever is in neither table names, calls or builds something. */
  readonly #opcodes: Readonly<Record<string, () => void>> = {
    "(": () => this.#mark(),
    l: () => this.#push(this.#sinceMark()),
    t: () => this.#push(new Tuple(this.#sinceMark())),
    d: () => this.#push(put(new Map(), this.#sinceMark())),
    a: () => this.#append(this.#pop(1)),
    s: () => this.#set(this.#pop(2)),
    p: () => this.#remember(this.decimalLine()),
    g: () => this.#recall(this.decimalLine()),
    "]": () => this.#push([]),
    ")": () => this.#push(new Tuple([])),
    "}": () => this.#push(new Map()),
    e: () => this.#append(this.#sinceMark()),
    u: () => this.#set(this.#sinceMark()),
    q: () => this.#remember(this.byte()),
    r: () => this.#remember(this.unsigned(4)),
    h: () => this.#recall(this.byte()),
    j: () => this.#recall(this.unsigned(4)),
    "\x80": () => this.#checkProtocol(this.byte()),
    "\x85": () => this.#push(new Tuple(this.#pop(1))),
    "\x86": () => this.#push(new Tuple(this.#pop(2))),
    "\x87": () => this.#push(new Tuple(this.#pop(3))),
    "\x94": () => this.#remember(this.#memo.size),
    // A frame's length is of no use: the message has ended already.
    "\x95": () => void this.take(8),
  };

  read(): Plain {
    for (;;) {
      const opcode = String.fromCharCode(this.byte());
      if (opcode === STOP) return this.#end();
      const scalar = this.scalar(opcode);
      if (scalar !== undefined) this.#push(scalar);
      else if (Object.hasOwn(this.#opcodes, opcode)) this.#opcodes[opcode]?.();
      else throw unreadable(`it holds something else than plain values (opcode 0x${hexOf(opcode)})`);
    }
  }

  #end(): Plain {
    const [value] = this.#stack;
    if (this.#marks.length > 0 || this.#stack.length !== 1 || value === undefined)
      throw unreadable("it does not end with one value");
    if (this.at !== this.bytes.length) throw unreadable("bytes follow its end");
    checkDepth(value);
    return value;
  }

  #mark(): void {
    if (this.#marks.length >= DEEPEST) throw unreadable(TOO_DEEP);
    this.#marks.push(this.#stack);
    this.#stack = [];
  }

  #checkProtocol(protocol: number): void {
    if (protocol > NEWEST) throw unreadable(`its protocol is newer than ${NEWEST}`);
  }

  #push(value: Plain): void {
    if (++this.#values > MOST_VALUES) throw unreadable(`it holds more than ${MOST_VALUES} values`);
    this.#stack.push(value);
  }

  #pop(count: number): Plain[] {
    if (this.#stack.length < count) throw unreadable(BROKEN);
    return this.#stack.splice(-count, count);
  }

  #sinceMark(): Plain[] {
    const values = this.#stack;
    const below = this.#marks.pop();
    if (below === undefined) throw unreadable(BROKEN);
    this.#stack = below;
    return values;
  }

  #append(values: readonly Plain[]): void {
    const list = this.#stack.at(-1);
    if (!Array.isArray(list)) throw unreadable(BROKEN);
    for (const value of values) list.push(value);
  }

  #set(pairs: readonly Plain[]): void {
    const map = this.#stack.at(-1);
    if (!(map instanceof Map)) throw unreadable(BROKEN);
    put(map, pairs);
  }

  #remember(index: number): void {
    const value = this.#stack.at(-1);
    if (value === undefined) throw unreadable(BROKEN);
    this.#memo.set(index, typeof value === "string" || value instanceof Uint8Array ? { value } : null);
  }

  /** A container in two places could hold itself, or double with each level; no command of fail2ban has one. */
  #recall(index: number): void {
    const known = this.#memo.get(index);
    if (known === undefined) throw unreadable(BROKEN);
    if (known === null) throw unreadable("it has the same list, tuple or dictionary in two places");
    this.#push(known.value);
  }
}

function put(map: Map<string | number, Plain>, pairs: readonly Plain[]): Map<string | number, Plain> {
  if (pairs.length % 2 !== 0) throw unreadable(BROKEN);
  for (let i = 0; i < pairs.length; i += 2) {
    const key = pairs[i];
    if (typeof key !== "string" && typeof key !== "number")
      throw unreadable("a key is not a string or a number");
    map.set(key, pairs[i + 1] ?? null);
  }
  return map;
}

function hexOf(opcode: string): string {
  return opcode.charCodeAt(0).toString(16).padStart(2, "0");
}

/** Every container is in one place, so this visits each once. */
function checkDepth(value: Plain): void {
  let level: readonly Plain[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST) throw unreadable(TOO_DEEP);
    level = level.flatMap(childrenOf);
  }
}

function childrenOf(value: Plain): readonly Plain[] {
  if (value instanceof Tuple) return value.items;
  if (value instanceof Map) return [...value.values()];
  return Array.isArray(value) ? value : [];
}

const STOP = ".";
/** Python 3.8 to 3.14 write protocol 5 at most. */
const NEWEST = 5;
/** fail2ban's own `reload` has seven levels. */
const DEEPEST = 32;
const MOST_VALUES = LIMITS.fail2banValues.value;
const TOO_DEEP = `it is nested more than ${DEEPEST} levels deep`;

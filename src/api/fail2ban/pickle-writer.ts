import { type Exception, type Plain, Tuple } from "./plain.ts";

/** Writes a value as a pickle of protocol 2, which Python 2.3 and every later one reads. */
export function writePickle(value: Plain): Buffer {
  return Buffer.concat([PROTOCOL_2, ...parts(value), STOP]);
}

/** The answer `(1, exception)`: the reader makes the exception of its class and arguments, as it does for one of Python's own. */
export function writeFailure({ type, args }: Exception): Buffer {
  return Buffer.concat([
    PROTOCOL_2,
    text("K\x01"),
    // Protocol 2 has the names of Python 2, which Python 3 translates.
    text(`c${type === "UnknownJailException" ? "fail2ban.exceptions" : "exceptions"}\n${type}\n`),
    ...parts(new Tuple(args)),
    text("R\x86"),
    STOP,
  ]);
}

const text = (characters: string): Buffer => Buffer.from(characters, "latin1");
const [PROTOCOL_2, STOP, NONE, TRUE, FALSE] = ["\x80\x02", ".", "N", "\x88", "\x89"].map(text) as [
  Buffer,
  Buffer,
  Buffer,
  Buffer,
  Buffer,
];
const [LIST, LIST_END, TUPLE, TUPLE_END, DICT, DICT_END] = ["](", "e", "(", "t", "}(", "u"].map(text) as [
  Buffer,
  Buffer,
  Buffer,
  Buffer,
  Buffer,
  Buffer,
];

function* parts(value: Plain): Generator<Buffer> {
  if (value === null) yield NONE;
  else if (typeof value === "boolean") yield value ? TRUE : FALSE;
  else if (typeof value === "number") yield numberPart(value);
  else if (typeof value === "string") yield* counted("X", Buffer.from(value, "utf8"));
  else if (value instanceof Uint8Array) throw new TypeError("Protocol 2 has no bytes");
  else if (value instanceof Tuple) yield* between(TUPLE, value.items, TUPLE_END);
  else if (value instanceof Map) yield* between(DICT, pairsOf(value), DICT_END);
  else yield* between(LIST, value as readonly Plain[], LIST_END);
}

function* between(start: Buffer, values: Iterable<Plain>, end: Buffer): Generator<Buffer> {
  yield start;
  for (const value of values) yield* parts(value);
  yield end;
}

function numberPart(value: number): Buffer {
  const bytes = Buffer.alloc(9);
  if (!Number.isSafeInteger(value)) {
    bytes.write("G", "latin1");
    bytes.writeDoubleBE(value, 1);
    return bytes;
  }
  if (value === (value | 0)) {
    bytes.write("J", "latin1");
    bytes.writeInt32LE(value, 1);
    return bytes.subarray(0, 5);
  }
  const long = Buffer.alloc(10);
  long.write("\x8a\x08", "latin1");
  long.writeBigInt64LE(BigInt(value), 2);
  return long;
}

function* counted(opcode: string, bytes: Buffer): Generator<Buffer> {
  const head = Buffer.alloc(5);
  head.write(opcode, "latin1");
  head.writeUInt32LE(bytes.length, 1);
  yield head;
  yield bytes;
}

function* pairsOf(map: ReadonlyMap<string | number, Plain>): Generator<Plain> {
  for (const [key, value] of map) {
    yield key;
    yield value;
  }
}

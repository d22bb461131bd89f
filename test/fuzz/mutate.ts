import type { Random } from "../torture/random.ts";

/** Numbers at the edges of what fields hold. */
const EDGES = [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 254, 255];
/** Pieces at which readers of text decide something. */
const PIECES = [
  "\n",
  "\r\n",
  "\0",
  " ",
  "\t",
  '"',
  "'",
  "\\",
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  "=",
  "%",
  "#",
  ";",
  "<",
  ">",
  "/",
  "-",
  ".",
  "\u00ff\u00fe",
  "\u00e2\u0080\u00a8",
  "\u00ed\u00a0\u0080",
  "\\u0000",
  "&a",
  "*a",
  "<<: *a",
  "!!js",
  "null",
  "-1",
  "1e999",
  "4294967296",
  "9007199254740993",
  "0x10",
  "::ffff:1.2.3.4",
  "1.2.3.4/33",
  "::/0",
  "__proto__",
  "constructor",
];

/** A sample with some changes: bytes, pieces, parts of other samples, repeats. At most `most` bytes. */
export function mutated(samples: readonly Buffer[], random: Random, most = 4096): Buffer {
  let bytes: Buffer = Buffer.from(random.pick(samples));
  for (let changes = 1 + random.below(6); changes > 0; changes--) bytes = changed(bytes, samples, random);
  return bytes.subarray(0, most);
}

function changed(bytes: Buffer, samples: readonly Buffer[], random: Random): Buffer {
  const at = random.below(bytes.length + 1);
  const length = 1 + random.below(random.pick([1, 4, 16, 200]));
  const head = bytes.subarray(0, at);
  const tail = bytes.subarray(at);
  switch (random.below(7)) {
    case 0:
      return Buffer.concat([head, tail.subarray(length)]);
    case 1:
      return Buffer.concat([head, Buffer.from(random.pick(PIECES), "latin1"), tail]);
    case 2: {
      const other = random.pick(samples);
      const from = random.below(other.length + 1);
      return Buffer.concat([
        head,
        other.subarray(from, from + length),
        tail.subarray(random.below(2) * length),
      ]);
    }
    case 3:
      return Buffer.concat([
        head,
        ...Array.from({ length: 1 + random.below(64) }, () => tail.subarray(0, length)),
        tail,
      ]);
    case 4:
      return Buffer.concat([head, Buffer.from(random.pick(PIECES), "latin1"), tail.subarray(length)]);
    default: {
      const copy = Buffer.from(bytes);
      if (copy.length > 0) {
        const place = Math.min(at, copy.length - 1);
        copy[place] =
          random.below(2) === 0 ? random.pick(EDGES) : (copy[place] ?? 0) ^ (1 << random.below(8));
      }
      return copy;
    }
  }
}

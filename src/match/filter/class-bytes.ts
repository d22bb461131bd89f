import { ByteSet } from "./byte-set.ts";

/** The bytes of a character class or set, in JavaScript's spelling. Asked of V8 itself and remembered: patterns share a few. */
export function classBytes(raw: string): ByteSet {
  const known = classes.get(raw);
  if (known !== undefined) return known;
  const regex = new RegExp(raw);
  const set = new ByteSet();
  for (let byte = 0; byte < 256; byte++) if (regex.test(String.fromCharCode(byte))) set.add(byte);
  if (classes.size >= MAX_CLASSES) classes.clear();
  classes.set(raw, set);
  return set;
}

const classes = new Map<string, ByteSet>();
const MAX_CLASSES = 1000;

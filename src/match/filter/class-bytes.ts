import { ByteSet } from "./byte-set.ts";

/** The bytes that a JavaScript character class or set matches. V8 answers; results are cached because patterns share a few classes. */
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
/** Bounds the cache; a full one is cleared. The library has some hundred classes. */
const MAX_CLASSES = 1000;

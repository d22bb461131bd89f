import { ByteSet } from "./byte-set.ts";
import { PatternError, readEscape, setOf } from "./escape.ts";

/** A character class of a pattern: single bytes, and the characters beyond ASCII, which take several bytes. */
export interface CharClass {
  readonly set: ByteSet;
  readonly sequences: readonly string[];
  /** In characters of the pattern. */
  readonly length: number;
}

/**
 * Reads the class at the start of `text`, which begins with `[`. A `]` that comes first is a member, as in Python. With `fold`, letters
 * match in both cases; with `isWide`, `\w` matches bytes above 127 too.
 */
export function readClass(text: string, fold = false, isWide = false): CharClass {
  const negated = text.charAt(1) === "^";
  let at = negated ? 2 : 1;
  const first = at;
  const set = new ByteSet();
  const sequences = new Set<string>();
  while (at === first || text.charAt(at) !== "]") {
    if (at >= text.length) throw new PatternError("unterminated class [");
    const from = readMember(text, at, isWide);
    at += from.length;
    const isRange = text.charAt(at) === "-" && at + 1 < text.length && text.charAt(at + 1) !== "]";
    if (!isRange) {
      addMember(set, sequences, from);
      continue;
    }
    const to = readMember(text, at + 1, isWide);
    addRange(set, sequences, from, to);
    at += 1 + to.length;
  }
  if (negated && sequences.size > 0) {
    throw new PatternError(`${[...sequences].join("")} in a negated class: it is more than one byte long`);
  }
  // Before the complement, so that `[^a]` excludes both cases.
  if (fold) set.foldCase();
  return { set: negated ? set.complement() : set, sequences: [...sequences], length: at + 1 };
}

interface Member {
  /** The set of an escape such as `\w`; null for a single character. */
  readonly set: ByteSet | null;
  readonly value: number;
  /** True for `\xHH` and octal escapes: a byte even above 127. */
  readonly isByte: boolean;
  readonly length: number;
}

function readMember(text: string, at: number, isWide: boolean): Member {
  if (text.charAt(at) !== "\\") {
    const value = text.codePointAt(at) ?? 0;
    return { set: null, value, isByte: value < 128, length: value > 0xffff ? 2 : 1 };
  }
  const char = text.charAt(at + 1);
  if (char === "") throw new PatternError("unterminated class [");
  if (char === "b") return { set: null, value: 8, isByte: true, length: 2 };
  const set = setOf(char, isWide);
  if (set !== undefined) return { set, value: 0, isByte: true, length: 2 };
  const escape = readEscape(text.slice(at, at + 12));
  return {
    set: null,
    value: escape.value,
    isByte: escape.isByte || escape.value < 128,
    length: escape.length,
  };
}

function addMember(set: ByteSet, sequences: Set<string>, member: Member): void {
  if (member.set !== null) set.addAll(member.set);
  else if (member.isByte) set.add(member.value);
  else sequences.add(String.fromCodePoint(member.value));
}

/** Bound on the characters of a range beyond ASCII, which become alternatives. */
const MAX_SPELLED = 256;

function addRange(set: ByteSet, sequences: Set<string>, from: Member, to: Member): void {
  if (from.set !== null || to.set !== null) {
    throw new PatternError("a range in a class has a set such as \\w at its end (write \\- for a hyphen)");
  }
  if (to.value < from.value) throw new PatternError("a range in a class runs backwards");
  if (from.isByte && to.isByte) return set.addRange(from.value, to.value);
  if (to.value - from.value > MAX_SPELLED)
    throw new PatternError("a range beyond ASCII has more than 256 characters");
  for (let point = from.value; point <= to.value; point++) {
    addMember(set, sequences, { set: null, value: point, isByte: point < 128, length: 1 });
  }
}

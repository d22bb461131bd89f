import { PatternError } from "../../match/filter/escape.ts";

/** A translated part of a pattern, and its length in Perl's spelling, in bytes. */
export interface Rewritten {
  readonly source: string;
  readonly length: number;
}

/** Translates the escape at the start of `text`, outside of classes. */
export function atomEscape(text: string): Rewritten & { readonly repeatable: boolean } {
  const char = text.charAt(1);
  if (char === "") throw new PatternError("ends with a single backslash");
  if (/^\\b\{/i.test(text)) throw new PatternError(`\\${char}{…} is not supported`);
  if (/[bBAzZ]/.test(char)) return { source: `\\${char}`, length: 2, repeatable: false };
  if (char === "K") return { source: "", length: 2, repeatable: false }; // only moves the start of the match
  if (char === "R") return { source: `(?:\\r\\n|[${BREAKS}])`, length: 2, repeatable: true };
  if (/^\\N(?!\{\D)/.test(text)) return { source: ".", length: 2, repeatable: true };
  const set = SETS[char];
  if (set !== undefined) return { source: set.length === 2 ? set : `[${set}]`, length: 2, repeatable: true };
  const { byte, length } = byteEscape(text);
  return { source: literalSource(byte), length, repeatable: true };
}

/** A literal byte outside of classes. */
export function literalSource(byte: number): string {
  return sourceOf(byte, /[\\^$.|?*+()[\]{}<]/);
}

/** Translates the class at the start of `text`, POSIX classes included. With `fold`, letters match in both cases. */
export function readPerlClass(text: string, fold: boolean): Rewritten {
  const negated = text.charAt(1) === "^";
  let at = negated ? 2 : 1;
  const first = at;
  let source = negated ? "[^" : "[";
  while (at === first || text.charAt(at) !== "]") {
    if (at >= text.length) throw new PatternError("unterminated class [");
    const from = readMember(text, at, fold);
    at += from.length;
    const hyphen = text.charAt(at) === "-" && at + 1 < text.length && text.charAt(at + 1) !== "]";
    if (!hyphen) {
      source += from.source;
      continue;
    }
    const to = readMember(text, at + 1, fold);
    at += 1 + to.length;
    // Next to a set, the hyphen is literal in Perl.
    if (from.byte === null || to.byte === null) source += `${from.source}\\-${to.source}`;
    else if (to.byte < from.byte) throw new PatternError("a range in a class runs backwards");
    else source += `${from.source}-${to.source}`;
  }
  return { source: `${source}]`, length: at + 1 };
}

const BREAKS = "\\n-\\r\\x85";

/** Escapes of sets, as members of a class. */
const SETS: Readonly<Record<string, string>> = {
  d: "\\d",
  D: "\\D",
  w: "\\w",
  W: "\\W",
  s: "\\s",
  S: "\\S",
  h: "\\t \\xa0",
  H: "\\x00-\\x08\\n-\\x1f!-\\x9f\\xa1-\\xff",
  v: BREAKS,
  V: "\\x00-\\t\\x0e-\\x84\\x86-\\xff",
};

/** POSIX classes and their complements (`[:^name:]`). For bytes they are ASCII only. */
const POSIX: Readonly<Record<string, readonly [plain: string, others: string]>> = {
  alpha: ["A-Za-z", "\\x00-@\\[-`{-\\xff"],
  digit: ["0-9", "\\x00-/:-\\xff"],
  alnum: ["0-9A-Za-z", "\\x00-/:-@\\[-`{-\\xff"],
  upper: ["A-Z", "\\x00-@\\[-\\xff"],
  lower: ["a-z", "\\x00-`{-\\xff"],
  punct: ["!-/:-@\\[-`{-~", "\\x00- 0-9A-Za-z\\x7f-\\xff"],
  space: ["\\t-\\r ", "\\x00-\\x08\\x0e-\\x1f!-\\xff"],
  blank: ["\\t ", "\\x00-\\x08\\n-\\x1f!-\\xff"],
  cntrl: ["\\x00-\\x1f\\x7f", " -~\\x80-\\xff"],
  graph: ["!-~", "\\x00- \\x7f-\\xff"],
  print: [" -~", "\\x00-\\x1f\\x7f-\\xff"],
  xdigit: ["0-9A-Fa-f", "\\x00-/:-@G-`g-\\xff"],
  word: ["\\w", "\\W"],
  ascii: ["\\x00-\\x7f", "\\x80-\\xff"],
};

interface Member extends Rewritten {
  /** Null for a set. */
  readonly byte: number | null;
}

function readMember(text: string, at: number, fold: boolean): Member {
  const char = text.charAt(at);
  if (
    char === "[" &&
    /^\[[.=]/.test(text.slice(at, at + 2)) &&
    text.slice(at + 2, at + 40).includes(`${text.charAt(at + 1)}]`)
  ) {
    throw new PatternError("[.…] and [=…] in a class are not supported");
  }
  const posix = /^\[:(\^?)(\w+):\]/.exec(text.slice(at, at + 20));
  if (posix !== null) {
    const [whole, others = "", written = ""] = posix;
    const name = fold && (written === "upper" || written === "lower") ? "alpha" : written;
    const sets = Object.hasOwn(POSIX, name) ? POSIX[name] : undefined;
    if (sets === undefined) throw new PatternError(`unknown class ${whole}`);
    return { source: sets[others === "" ? 0 : 1], length: whole.length, byte: null };
  }
  if (char !== "\\") return member(char.charCodeAt(0), 1);
  const next = text.charAt(at + 1);
  if (next === "b") return member(8, 2);
  const set = SETS[next];
  if (set !== undefined) return { source: set, length: 2, byte: null };
  const { byte, length } = byteEscape(text.slice(at, at + 16));
  return member(byte, length);
}

function member(byte: number, length: number): Member {
  return { source: sourceOf(byte, /[\\^\-[\]]/), length, byte };
}

function sourceOf(byte: number, special: RegExp): string {
  const char = String.fromCharCode(byte);
  if (special.test(char)) return `\\${char}`;
  return byte >= 0x20 && byte < 0x7f ? char : `\\x${byte.toString(16).padStart(2, "0")}`;
}

const NAMED: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, e: 27, a: 7 };

/** Reads an escape for a single byte. */
function byteEscape(text: string): { readonly byte: number; readonly length: number } {
  const char = text.charAt(1);
  const named = NAMED[char];
  if (named !== undefined) return { byte: named, length: 2 };
  const number = /^\\(?:x\{([0-9A-Fa-f]{1,6})\}|o\{([0-7]{1,8})\}|x([0-9A-Fa-f]{0,2})|(0[0-7]{0,2}))/.exec(
    text,
  );
  if (number !== null) {
    const [whole, wide, octal, narrow, zero] = number;
    const value = octal ?? zero;
    const byte =
      value === undefined ? Number.parseInt(wide ?? narrow ?? "", 16) || 0 : Number.parseInt(value, 8);
    if (byte > 255) throw new PatternError(`${whole} is not a byte, and lines are bytes`);
    return { byte, length: whole.length };
  }
  if (char === "c" && /^\\c[@-_a-z?]/.test(text))
    return { byte: text.charAt(2).toUpperCase().charCodeAt(0) ^ 64, length: 3 };
  if (/[1-9gk]/.test(char)) throw new PatternError("back-reference: cost cannot be bounded");
  if (/[QEULluF]/.test(char))
    throw new PatternError(`\\${char} has no effect in a pattern from a file: Perl takes it as the letter`);
  if (/[A-Za-z]/.test(char)) throw new PatternError(`\\${char} is not supported`);
  if (char === "") throw new PatternError("unterminated class [");
  return { byte: char.charCodeAt(0), length: 2 };
}

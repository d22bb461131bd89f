import { ByteSet, byteSource, NOT_NEWLINE } from "./byte-set.ts";
import { readClass } from "./char-class.ts";
import { PatternError, readEscape, setOf } from "./escape.ts";

/** A pattern in JavaScript's spelling without flags, for lines with one character per byte. */
export interface Translation {
  readonly source: string;
  /** Names of the capturing groups: `groups[0]` belongs to group 1. Only named groups capture. */
  readonly groups: readonly string[];
}

/**
 * Translates a regular expression of Python's (and Perl's named groups) to JavaScript. `\s \S \w \d \b` are ASCII, `.` is any byte but
 * LF, `\xHH` is a byte, other characters beyond ASCII become their UTF-8 bytes, and `(?i)` becomes classes. With `(?u)`, `\w` also matches the bytes of
 * letters beyond ASCII. With `manyLines`, `^` and `$` also match at the ends of the lines within the text. Throws PatternError.
 */
export function translate(pattern: string, manyLines = false): Translation {
  return new Translator(pattern, manyLines).run();
}

const ASSERTIONS: Readonly<Record<string, string>> = { b: "\\b", B: "\\B", A: "^", Z: "$", z: "$" };
const LINE_START = "(?:^|(?<=\\n))";
const LINE_END = "(?:$|(?=\\n))";
const COUNTED = /\{(?:(\d+)|(\d*),(\d*))\}/y;
/** Bound on `{n,m}`, far above what V8's linear engine takes (16). */
const MAX_COUNT = 1000;
const BY_NUMBER = "back-reference by number: name the group, (?P<name>…), and write (?P=name)";

interface OpenGroup {
  /** Whether `(?i)` holds outside the group. */
  readonly foldOutside: boolean;
  /** What follows the `|` of a condition; empty behind that `|`, null for any other group. */
  readonly otherwise: string | null;
}

class Translator {
  readonly #pattern: string;
  readonly #manyLines: boolean;
  readonly #open: OpenGroup[] = [];
  readonly #groups: string[] = [];
  #at = 0;
  #out = "";
  #fold = false;
  /** Whether `(?u)` holds, from its place to the end of the pattern. */
  #isWide = false;
  /** Whether a quantifier may come next. */
  #repeatable = false;

  constructor(pattern: string, manyLines: boolean) {
    this.#pattern = pattern;
    this.#manyLines = manyLines;
  }

  run(): Translation {
    while (this.#at < this.#pattern.length) this.#step();
    if (this.#open.length > 0) throw new PatternError("unterminated group");
    return { source: this.#out, groups: this.#groups };
  }

  #step(): void {
    const char = this.#pattern.charAt(this.#at);
    if (char === "\\") return this.#escape();
    if (char === "|") return this.#alternative();
    if (char === "[") return this.#class();
    if (char === "(") return this.#openGroup();
    if (char === ")") return this.#closeGroup();
    if (char === "*" || char === "+" || char === "?") return this.#quantifier(char, 1);
    if (char === "{") return this.#brace();
    this.#at++;
    if (char === "^") this.#emit(this.#manyLines ? LINE_START : "^", false);
    else if (char === "$") this.#emit(this.#manyLines ? LINE_END : "$", false);
    else if (char === ".") this.#emit(NOT_NEWLINE.toSource(), true);
    else {
      const point = this.#pattern.codePointAt(this.#at - 1) ?? 0;
      if (point > 0xffff) this.#at++;
      this.#character(point);
    }
  }

  #emit(source: string, repeatable: boolean): void {
    this.#out += source;
    this.#repeatable = repeatable;
  }

  #character(point: number): void {
    if (point < 128) return this.#byte(point);
    const char = String.fromCodePoint(point);
    const spellings = this.#fold ? [...new Set([char, char.toLowerCase(), char.toUpperCase()])] : [char];
    this.#emit(`(?:${spellings.map(utf8Source).join("|")})`, true);
  }

  #byte(byte: number): void {
    const set = ByteSet.of(byte);
    if (this.#fold) set.foldCase();
    this.#emit(set.size === 1 ? byteSource(byte) : set.toSource(), true);
  }

  #escape(): void {
    const char = this.#pattern.charAt(this.#at + 1);
    const rest = this.#pattern.slice(this.#at);
    if (char === "") throw new PatternError("ends with a lone backslash");
    const named = /^\\[kg](?:<(\w+)>|\{([A-Za-z_]\w*)\}|'(\w+)')/.exec(rest);
    if (named !== null) return this.#backReference(named[0].length, named[1] ?? named[2] ?? named[3] ?? "");
    if (/^\\[1-9]/.test(rest) || char === "k" || char === "g") throw new PatternError(BY_NUMBER);
    const set = setOf(char, this.#isWide);
    const assertion = ASSERTIONS[char];
    if (set !== undefined || assertion !== undefined) {
      this.#at += 2;
      return set === undefined ? this.#emit(assertion ?? "", false) : this.#emit(set.toSource(), true);
    }
    const { value, length, isByte } = readEscape(rest);
    this.#at += length;
    return isByte ? this.#byte(value) : this.#character(value);
  }

  #class(): void {
    const { set, sequences, length } = readClass(this.#pattern.slice(this.#at), this.#fold, this.#isWide);
    this.#at += length;
    const choices = sequences.map(utf8Source);
    if (set.size > 0 || choices.length === 0) choices.push(set.toSource());
    this.#emit(
      choices.length === 1 && sequences.length === 0 ? (choices[0] ?? "") : `(?:${choices.join("|")})`,
      true,
    );
  }

  #openGroup(): void {
    const rest = this.#pattern.slice(this.#at);
    const named = /^\(\?(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')/.exec(rest);
    if (named !== null) {
      this.#groups.push((named[1] ?? named[2] ?? "").toLowerCase());
      return this.#push(named[0].length, "(");
    }
    const look = /^\(\?<?[=!]/.exec(rest);
    if (look !== null) return this.#push(3 + Number(look[0].includes("<")), look[0]);
    if (rest.startsWith("(?:")) return this.#push(3, "(?:");
    if (rest.startsWith("(?#")) return this.#comment();
    const flags = /^\(\?([a-zA-Z]*)(?:-([a-zA-Z]+))?([:)])/.exec(rest);
    if (flags !== null) return this.#flags(flags);
    const reference = /^\(\?P=(\w+)\)/.exec(rest);
    if (reference !== null) return this.#backReference(reference[0].length, reference[1] ?? "");
    const condition = /^\(\?\((\w+)\)/.exec(rest);
    if (condition !== null) return this.#condition(condition[0].length, condition[1] ?? "");
    if (rest.startsWith("(?>")) throw new PatternError("atomic group is not supported");
    if (rest.startsWith("(?")) throw new PatternError(`unknown group ${rest.slice(0, 4)}`);
    return this.#push(1, "(?:");
  }

  /**
   * Only steps/ run it, so its spelling is for dfa/compile-program.ts: a group that took no part fails, as in Python, where JavaScript
   * takes it as empty; `{1}` says that either case of a letter is the same.
   */
  #backReference(length: number, name: string): void {
    const many = this.#fold ? "{1}" : "";
    this.#at += length;
    this.#emit(
      `(?:${this.#numbersOf(name)
        .map((number) => `\\${number}${many}`)
        .join("|")})`,
      true,
    );
  }

  /** `(?(name)yes|no)`: each branch begins with a lookahead of nothing but the group, which stands for 'took part'. */
  #condition(length: number, name: string): void {
    const numbers = this.#numbersOf(name);
    const tookPart = numbers.map((number) => `(?=\\${number})`).join("|");
    this.#push(length, `(?:(?:${tookPart})`, numbers.map((number) => `(?!\\${number})`).join(""));
  }

  /** The groups of that name that began before. */
  #numbersOf(name: string): readonly number[] {
    if (/^\d/.test(name)) throw new PatternError(BY_NUMBER);
    const found = this.#groups.flatMap((group, i) => (group === name.toLowerCase() ? [i + 1] : []));
    if (found.length === 0) throw new PatternError(`reference to an unknown group: ${name}`);
    return found;
  }

  /** `|`, which in a condition stands once, between its branches. */
  #alternative(): void {
    const group = this.#open.at(-1);
    this.#at++;
    if (group?.otherwise === "") throw new PatternError("condition with more than two branches");
    this.#emit(`|${group?.otherwise ?? ""}`, false);
    if (group !== undefined && group.otherwise !== null)
      this.#open.splice(-1, 1, { ...group, otherwise: "" });
  }

  #push(length: number, source: string, otherwise: string | null = null): void {
    this.#open.push({ foldOutside: this.#fold, otherwise });
    this.#at += length;
    this.#emit(source, false);
  }

  #closeGroup(): void {
    const group = this.#open.pop();
    if (group === undefined) throw new PatternError("unmatched )");
    this.#fold = group.foldOutside;
    this.#at++;
    const otherwise = group.otherwise === null || group.otherwise === "" ? "" : `|${group.otherwise}`;
    this.#emit(`${otherwise})`, true);
  }

  #comment(): void {
    const end = this.#pattern.indexOf(")", this.#at);
    if (end < 0) throw new PatternError("unterminated comment");
    this.#at = end + 1;
  }

  /** `(?i)` holds until the end of its enclosing group, `(?i:…)` within the group. */
  #flags(flags: RegExpExecArray): void {
    const [whole, on = "", off = "", end] = flags;
    for (const flag of on + off) {
      if (flag === "x") throw new PatternError("verbose patterns, (?x), are not supported");
      if (!"imsuaL".includes(flag)) throw new PatternError(`unknown flag (?${flag})`);
    }
    if (end === ":") this.#push(whole.length, "(?:");
    else this.#at += whole.length;
    if (on.includes("i")) this.#fold = true;
    if (off.includes("i")) this.#fold = false;
    if (on.includes("u")) this.#isWide = true;
  }

  #brace(): void {
    COUNTED.lastIndex = this.#at;
    const counted = COUNTED.exec(this.#pattern);
    if (counted === null) {
      this.#at++;
      return this.#emit("\\{", true);
    }
    const [whole, exact, from, to] = counted;
    const least = Number(exact ?? from);
    const most = exact ?? to ?? "";
    if (most !== "" && Number(most) < least) throw new PatternError(`${whole} counts down`);
    if (Math.max(least, Number(most)) > MAX_COUNT)
      throw new PatternError(`${whole} counts beyond ${MAX_COUNT}`);
    const source = exact === undefined ? `{${least},${most}}` : `{${least}}`;
    return this.#quantifier(source, whole.length);
  }

  #quantifier(source: string, length: number): void {
    if (!this.#repeatable) throw new PatternError(`nothing to repeat before ${source}`);
    this.#at += length;
    const next = this.#pattern.charAt(this.#at);
    if (next === "+") throw new PatternError(`possessive ${source}+ is not supported`);
    if (next === "?") this.#at++;
    this.#emit(source + (next === "?" ? "?" : ""), false);
  }
}

function utf8Source(char: string): string {
  return [...Buffer.from(char, "utf8")].map(byteSource).join("");
}

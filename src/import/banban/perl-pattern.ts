import { PatternError } from "../../match/filter/escape.ts";
import { atomEscape, literalSource, readPerlClass } from "./perl-class.ts";

/**
 * Translates a Perl regular expression, as `qr/$pattern/` compiles it for lines of bytes, for a filter. It matches the same lines. Of the
 * groups only `(?<ip>…)` keeps its name, comments and free spacing are removed, and a `<` that would begin a tag is escaped. Throws a
 * PatternError for what one pass over the line cannot match. The result is printable ASCII.
 */
export function translatePerl(pattern: string): string {
  return new Perl(Buffer.from(pattern, "utf8").toString("latin1")).run();
}

/** The group that captures the address. */
const HOST = "ip";

interface OpenGroup {
  /** Whether `(?x)` and `(?i)` hold outside the group. */
  readonly freeOutside: boolean;
  readonly foldOutside: boolean;
  hasHost: boolean;
}

class Perl {
  /** One character per byte, as Perl reads a file. */
  readonly #pattern: string;
  readonly #open: OpenGroup[] = [];
  #at = 0;
  #out = "";
  #free = false;
  #fold = false;
  /** Whether a quantifier may come next. */
  #repeatable = false;
  /** The last item if it matches exactly one byte; else null. */
  #single: string | null = null;
  /** Whether the last item contains the host. */
  #hasHost = false;
  #named = false;

  constructor(bytes: string) {
    this.#pattern = bytes;
  }

  run(): string {
    while (this.#at < this.#pattern.length) this.#step();
    if (this.#open.length > 0) throw new PatternError("unterminated group");
    if (!this.#named) throw new PatternError("no (?<ip>…), so it names no address");
    return this.#out;
  }

  #step(): void {
    const char = this.#pattern.charAt(this.#at);
    if (char === "\\") return this.#escape();
    if (char === "[") return this.#class();
    if (char === "(") return this.#group();
    if (char === ")") return this.#close();
    if (char === "*" || char === "+" || char === "?") return this.#quantifier(char);
    if (char === "{") return this.#brace();
    if (this.#free && /\s/.test(char)) return void this.#at++;
    if (this.#free && char === "#") return this.#skipComment();
    this.#at++;
    if (char === "|" || char === "^" || char === "$") return this.#emit(char, false);
    if (char === ".") return this.#emit(char, true);
    // A `<` needs a backslash only where it looks like the start of a tag.
    const isText = char === "<" && !/^\/?[A-Za-z]/.test(this.#pattern.slice(this.#at, this.#at + 2));
    this.#emit(isText ? char : literalSource(char.charCodeAt(0)), true);
  }

  #emit(text: string, repeatable: boolean): void {
    this.#out += text;
    this.#repeatable = repeatable;
    // Every repeatable item is one byte, except groups and \R.
    this.#single = repeatable && text !== ")" && !text.startsWith("(") ? text : null;
    this.#hasHost = false;
  }

  #escape(): void {
    const { source, length, repeatable } = atomEscape(this.#pattern.slice(this.#at, this.#at + 16));
    this.#at += length;
    // An empty item such as \K does not change what a quantifier repeats.
    if (source !== "") this.#emit(source, repeatable);
  }

  #class(): void {
    const { source, length } = readPerlClass(this.#pattern.slice(this.#at), this.#fold);
    this.#at += length;
    this.#emit(source, true);
  }

  #group(): void {
    const rest = this.#pattern.slice(this.#at, this.#at + 200);
    if (rest.startsWith("(?#")) return this.#comment();
    const named = /^\(\?(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')/.exec(rest);
    if (named !== null) {
      const isHost = (named[1] ?? named[2]) === HOST;
      this.#named ||= isHost;
      return this.#enter(named[0].length, isHost ? `(?<${HOST}>` : "(?:", isHost);
    }
    const look = /^\(\?<?[=!]/.exec(rest);
    if (look !== null) return this.#enter(look[0].length, look[0]);
    // A branch reset only changes the numbers of groups, which are not used.
    if (rest.startsWith("(?|")) return this.#enter(3, "(?:");
    const flags = /^\(\?(\^?)([a-z]*)(?:-([a-z]+))?([:)])/.exec(rest);
    if (flags !== null) return this.#flags(flags);
    for (const [start, what] of REFUSED) if (start.test(rest)) throw new PatternError(what);
    return this.#enter(1, "(?:");
  }

  #enter(length: number, source: string, hasHost = false): void {
    this.#open.push({ freeOutside: this.#free, foldOutside: this.#fold, hasHost });
    this.#at += length;
    this.#emit(source, false);
  }

  #close(): void {
    const group = this.#open.pop();
    if (group === undefined) throw new PatternError("unmatched )");
    this.#free = group.freeOutside;
    this.#fold = group.foldOutside;
    this.#at++;
    this.#emit(")", true);
    const around = this.#open.at(-1);
    if (group.hasHost && around !== undefined) around.hasHost = true;
    this.#hasHost = group.hasHost;
  }

  #comment(): void {
    const end = this.#pattern.indexOf(")", this.#at);
    if (end < 0) throw new PatternError("unterminated comment");
    this.#at = end + 1;
  }

  #skipComment(): void {
    const end = this.#pattern.indexOf("\n", this.#at);
    this.#at = end < 0 ? this.#pattern.length : end + 1;
  }

  /** Only i and x matter: m and s concern texts of several lines, n and p groups that are not used. */
  #flags([whole, reset = "", on = "", off = "", end]: RegExpExecArray): void {
    for (const flag of on + off) {
      if (flag === "l" || flag === "u")
        throw new PatternError(`the flag (?${flag}) makes bytes beyond ASCII letters`);
      if (!"imsxnpad".includes(flag)) throw new PatternError(`unknown flag (?${flag})`);
    }
    if (on.includes("xx")) throw new PatternError("the flag (?xx) is not supported");
    const fold = on.includes("i") ? "i" : reset !== "" || off.includes("i") ? "-i" : "";
    if (end === ":") this.#enter(whole.length, `(?${fold}:`);
    else {
      this.#at += whole.length;
      if (fold !== "") this.#emit(`(?${fold})`, false);
    }
    if (fold !== "") this.#fold = fold === "i";
    if (on.includes("x")) this.#free = true;
    else if (reset !== "" || off.includes("x")) this.#free = false;
  }

  #brace(): void {
    const rest = this.#pattern.slice(this.#at, this.#at + 40);
    const counted = /^\{(?:\d+|\d+,\d*)\}/.exec(rest);
    if (counted !== null) return this.#quantifier(counted[0]);
    if (/^\{\s*\d*\s*,?\s*\d*\s*\}/.test(rest) && /\d/.test(rest)) {
      throw new PatternError("its {…} is a count in new versions of Perl and text in old ones");
    }
    this.#at++;
    this.#emit("\\{", true);
  }

  #quantifier(source: string): void {
    if (!this.#repeatable) throw new PatternError(`nothing to repeat before ${source}`);
    // Perl keeps the host of an earlier turn; JavaScript keeps that of the last turn only.
    if (this.#hasHost && source !== "?") throw new PatternError("its (?<ip>…) is in a repeated group");
    this.#at += source.length;
    const next = this.#pattern.charAt(this.#at);
    if (next === "+") return this.#possessive(source);
    if (next === "?") this.#at++;
    this.#emit(source + (next === "?" ? "?" : ""), false);
  }

  /** `x++` for a single byte x is `x+(?!x)`: it takes all there are and gives none back. */
  #possessive(source: string): void {
    const one = this.#single;
    if (one === null)
      throw new PatternError(`possessive ${source}+ is supported after single characters only`);
    const none = `(?!${one})`;
    const most = /^\{\d+,(\d+)\}$/.exec(source)?.[1] ?? (source === "?" ? "1" : null);
    const isExact = /^\{\d+\}$/.test(source);
    this.#at++;
    this.#out = this.#out.slice(0, -one.length);
    if (isExact) this.#emit(one + source, false);
    else if (most === null) this.#emit(one + source + none, false);
    else this.#emit(`(?:${one}${source}${none}|${one}{${most}})`, false);
  }
}

const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/^\(\*/, "verbs such as (*FAIL) are not supported"],
  [/^\(\?>/, "an atomic group, (?>…), is not supported"],
  [/^\(\?\??\{/, "program code, (?{…}), is not supported"],
  [/^\(\?\(/, "a conditional group is not supported"],
  [/^\(\?P=/, "back-reference: cost cannot be bounded"],
  [/^\(\?(?:R|[+-]?\d|&|P>)/, "recursion is not supported"],
  [/^\(\?/, "unknown kind of group"],
];

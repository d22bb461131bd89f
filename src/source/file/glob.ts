/**
 * A path with wildcards, as in a shell: `*` and `?` match within one name, `[a-z]`, `[!0-9]`, `{one,two}`, `**` for any number
 * of folders; `\` escapes the next character. Wildcards do not match a leading dot.
 */
export interface Glob {
  /** One list of parts for each expansion of the braces. */
  readonly ways: readonly (readonly GlobPart[])[];
}

export type GlobPart =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "pattern"; readonly matches: (name: string) => boolean }
  | { readonly kind: "folders" };

/** Parses an absolute path with wildcards. Returns a phrase that says what is wrong with an invalid one. */
export function parseGlob(path: string): Glob | string {
  if (!path.startsWith("/")) return "the path must begin with /";
  const expanded = expandBraces(path);
  if (expanded === null) return `braces may expand to at most ${MAX_WAYS} paths`;
  return { ways: expanded.map((way) => way.split("/").filter(Boolean).map(parsePart)) };
}

export function hasWildcards(path: string): boolean {
  return /[*?[{\\]/.test(path);
}

/** Maximum number of paths to which the braces of one pattern may expand. */
const MAX_WAYS = 256;

/** `a{b,c}d` → `abd`, `acd`; null for more than MAX_WAYS. A brace that is never closed is an ordinary character. */
function expandBraces(path: string): string[] | null {
  const open = findOutside(path, "{", 0);
  const close = open < 0 ? -1 : closingBrace(path, open);
  if (close < 0) return [path];
  const head = path.slice(0, open);
  const tail = path.slice(close + 1);
  const ways: string[] = [];
  for (const choice of choices(path.slice(open + 1, close))) {
    const expanded = expandBraces(head + choice + tail);
    if (expanded === null || ways.length + expanded.length > MAX_WAYS) return null;
    ways.push(...expanded);
  }
  return ways;
}

/** Index of the next unescaped `char`, or -1. */
function findOutside(text: string, char: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === char) return i;
  }
  return -1;
}

function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "{") depth++;
    else if (text[i] === "}" && --depth === 0) return i;
  }
  return -1;
}

/** Splits at the commas that are not inside nested braces. */
function choices(inner: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < inner.length; i++) {
    if (inner[i] === "\\") i++;
    else if (inner[i] === "{") depth++;
    else if (inner[i] === "}") depth--;
    else if (inner[i] === "," && depth === 0) {
      found.push(inner.slice(start, i));
      start = i + 1;
    }
  }
  return [...found, inner.slice(start)];
}

function parsePart(text: string): GlobPart {
  if (text === "**") return { kind: "folders" };
  if (!/[*?[\\]/.test(text)) return { kind: "name", name: text };
  if (!/[*?[]/.test(text)) return { kind: "name", name: text.replace(/\\(.)/g, "$1") };
  const tokens = tokensOf(text);
  const dot = text.startsWith(".") || text.startsWith("\\.");
  return { kind: "pattern", matches: (name) => (dot || !name.startsWith(".")) && matchTokens(tokens, name) };
}

type Token = "*" | "?" | RegExp | { readonly text: string };

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    const end = c === "[" ? classEnd(text, i) : -1;
    if (c === "*" || c === "?") tokens.push(c);
    else if (end > 0) {
      tokens.push(classOf(text.slice(i + 1, end)));
      i = end;
    } else tokens.push({ text: c === "\\" && i + 1 < text.length ? (text[++i] as string) : c });
  }
  return tokens;
}

/** Index of the `]` that ends a class, or -1. A `]` right after `[` or `[!` is a member of the class. */
function classEnd(text: string, open: number): number {
  const first = text[open + 1] === "!" || text[open + 1] === "^" ? open + 2 : open + 1;
  return text.indexOf("]", first + 1);
}

function classOf(inner: string): RegExp {
  const negated = inner.startsWith("!") || inner.startsWith("^");
  const members = (negated ? inner.slice(1) : inner).replace(/[\\\]^[]/g, "\\$&");
  try {
    return new RegExp(`^[${negated ? "^" : ""}${members}]$`, "su");
  } catch {
    return /(?!)/; // a reversed range matches nothing
  }
}

/** Backtracks to the last `*` only: at most `tokens.length` × `name.length` steps. */
function matchTokens(tokens: readonly Token[], name: string): boolean {
  const chars = Array.from(name);
  let t = 0;
  let c = 0;
  let star = -1;
  let starAt = 0;
  while (c < chars.length) {
    const token = tokens[t];
    if (token === "*") {
      star = t++;
      starAt = c;
    } else if (token !== undefined && matchOne(token, chars[c] as string)) {
      t++;
      c++;
    } else if (star >= 0) {
      t = star + 1;
      c = ++starAt;
    } else return false;
  }
  while (tokens[t] === "*") t++;
  return t === tokens.length;
}

function matchOne(token: Exclude<Token, "*">, char: string): boolean {
  if (token === "?") return true;
  return token instanceof RegExp ? token.test(char) : token.text === char;
}

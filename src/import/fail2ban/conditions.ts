/**
 * Rewrites what makes a pattern expensive: `(?(name)yes|no)` becomes one variant of the pattern with the group and one without.
 * Returns the pattern as it is when it has none or when they cannot be told apart.
 */
export function withoutConditions(pattern: string): string {
  if (!pattern.includes("(?(")) return pattern;
  const tree = parse(pattern);
  const names = tree === null ? [] : conditionsOf(tree);
  if (tree === null || names.length === 0 || names.length > MOST_CONDITIONS) return pattern;
  let variants: readonly Choice[] = [tree];
  for (const name of names)
    variants = variants
      .map((variant) => [decided(variant, name, true), decided(variant, name, false)])
      .flat()
      .filter((variant) => variant !== null);
  return variants.length === 0 ? pattern : variants.map(written).join("|");
}

/** Each doubles the variants. */
const MOST_CONDITIONS = 3;

/** Alternatives, each a sequence. */
type Choice = readonly (readonly Part[])[];

type Part = string | Group | Condition;

interface Group {
  readonly kind: "group";
  /** `(`, `(?:`, `(?P<name>`, `<F-USER>`. */
  readonly open: string;
  readonly close: string;
  readonly inner: Choice;
  /** `?`, `*`, `+?`, or empty. */
  readonly many: string;
}

interface Condition {
  readonly kind: "condition";
  readonly name: string;
  readonly inner: Choice;
}

const TOKEN =
  /\\[^]|\[\^?\]?(?:\\[^]|[^\]\\])*\]|\(\?\((\w+)\)|\(\?P?<[A-Za-z_]\w*>|\(\?[a-z]*(?:-[a-z]+)?:|\(\?<?[=!]|\(\?[a-z]+\)|<\/?F-[A-Z0-9_-]+>|[^]/y;
const MANY = /(?:[?*+]|\{\d*,?\d*\})[?+]?/y;

/** Null when its brackets do not match. */
function parse(pattern: string): Choice | null {
  let at = 0;
  let depth = 0;
  const choice = (end: string): Choice | null => {
    if (++depth > DEEPEST) return null;
    const found: Part[][] = [[]];
    while (at < pattern.length) {
      TOKEN.lastIndex = at;
      const token = TOKEN.exec(pattern);
      const [text = "", name] = token ?? [];
      at += text.length;
      if (text === end) return (depth--, found);
      if (text === ")" || (text.startsWith("</") && end !== "")) return null;
      const part = text === "|" ? null : partOf(text, name);
      if (text === "|") found.push([]);
      else if (part === null) return null;
      else found.at(-1)?.push(part);
    }
    depth--;
    return end === "" ? found : null;
  };
  const partOf = (text: string, name: string | undefined): Part | null => {
    const isTag = text.startsWith("<F-");
    if (!isTag && (!text.startsWith("(") || /^\(\?[a-z]+\)$/.test(text))) return text;
    const close = isTag ? text.replace("<", "</") : ")";
    const inner = choice(close);
    if (inner === null) return null;
    if (name !== undefined) return { kind: "condition", name, inner };
    MANY.lastIndex = at;
    const many = MANY.exec(pattern)?.[0] ?? "";
    at += many.length;
    return { kind: "group", open: text, close, inner, many };
  };
  return choice("");
}

const DEEPEST = 50;

function written(choice: Choice): string {
  return choice.map((parts) => parts.map(partText).join("")).join("|");
}

function partText(part: Part): string {
  if (typeof part === "string") return part;
  const inner = written(part.inner);
  return part.kind === "condition"
    ? `(?(${part.name})${inner})`
    : `${part.open}${inner}${part.close}${part.many}`;
}

function conditionsOf(choice: Choice): readonly string[] {
  const found = choice.flat().flatMap((part) => {
    if (typeof part === "string") return [];
    return [...(part.kind === "condition" ? [part.name] : []), ...conditionsOf(part.inner)];
  });
  return [...new Set(found)];
}

/** The groups from the outermost to the one of that name. */
function pathTo(choice: Choice, name: string): readonly Group[] | null {
  for (const part of choice.flat()) {
    if (typeof part === "string") continue;
    if (part.kind === "group" && nameOf(part) === name) return [part];
    const rest = pathTo(part.inner, name);
    if (rest !== null) return part.kind === "group" ? [part, ...rest] : rest;
  }
  return null;
}

function nameOf({ open }: Group): string | undefined {
  return /^\(\?P?<([A-Za-z_]\w*)>$/.exec(open)?.[1] ?? /^<F-(.+)>$/.exec(open)?.[1]?.toLowerCase();
}

/** The pattern where the group took part, or where it did not; null when it cannot be so. */
function decided(tree: Choice, name: string, tookPart: boolean): Choice | null {
  const path = pathTo(tree, name);
  if (path === null) return null;
  const chosen = tookPart ? withGroup(tree, path) : withoutGroup(tree, path);
  return chosen === null ? null : settled(chosen, name, tookPart);
}

/** Only the alternatives on the path, without the quantifiers that allow none. */
function withGroup(choice: Choice, [next, ...rest]: readonly Group[]): Choice {
  if (next === undefined) return choice;
  return choice
    .filter((parts) => parts.includes(next))
    .map((parts) =>
      parts.map((part) =>
        part === next
          ? {
              ...next,
              inner: withGroup(next.inner, rest),
              many: next.many.replace(/^\?\??/, "").replace(/^\*/, "+"),
            }
          : part,
      ),
    );
}

/** Without the innermost alternative or optional group on the path. */
function withoutGroup(choice: Choice, [next, ...rest]: readonly Group[]): Choice | null {
  if (next === undefined) return null;
  const inner = rest.length === 0 ? null : withoutGroup(next.inner, rest);
  const replace = (by: readonly Part[]): Choice =>
    choice.map((parts) =>
      parts.includes(next) ? parts.flatMap((part) => (part === next ? by : [part])) : parts,
    );
  if (inner !== null) return replace([{ ...next, inner }]);
  if (/^[?*]/.test(next.many)) return replace([]);
  const others = choice.filter((parts) => !parts.includes(next));
  return others.length === 0 ? null : others;
}

/** The conditions on the group replaced by what they come to. */
function settled(choice: Choice, name: string, tookPart: boolean): Choice {
  return choice.map((parts) =>
    parts.map((part): Part => {
      if (typeof part === "string") return part;
      const inner = settled(part.inner, name, tookPart);
      if (part.kind === "group" || part.name !== name) return { ...part, inner };
      const [yes = [], ...no] = inner;
      return {
        kind: "group",
        open: "(?:",
        close: ")",
        inner: tookPart ? [yes] : no.length === 0 ? [[]] : no,
        many: "",
      };
    }),
  );
}

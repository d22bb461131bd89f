import { closestName } from "../../../core/closest-name.ts";
import { groupTag, TAGS, textTag } from "./table.ts";
import type { TagContext } from "./tag.ts";

/** A remark on a pattern. The caller adds the list and the place of the pattern. */
export interface Remark {
  readonly fact: string;
  readonly severity: "error" | "warning";
}

/**
 * Replaces the tags of a pattern, built-in ones and the filter's own, by regular expressions in Python's spelling. An escaped
 * `\<`, a `<` within a class and an unknown lower-case name stay text.
 */
export function expandTags(pattern: string, context: TagContext): { text: string; remarks: Remark[] } {
  const remarks: Remark[] = [];
  const text = expand(pattern, context, remarks, []);
  return { text, remarks };
}

const TAG = /<(\/?)([A-Za-z][\w-]*)(\/?)>/y;
const TAG_AT = (text: string, at: number): RegExpExecArray | null => {
  TAG.lastIndex = at;
  return TAG.exec(text);
};

const MAX_DEPTH = 25;

function expand(pattern: string, context: TagContext, remarks: Remark[], inside: readonly string[]): string {
  let out = "";
  const open: string[] = [];
  let inClass = false;
  for (let i = 0; i < pattern.length;) {
    const char = pattern.charAt(i);
    if (char === "\\") {
      out += pattern.slice(i, i + 2);
      i += 2;
      continue;
    }
    if (inClass) inClass = char !== "]";
    else if (char === "[") {
      const start = /^\[\^?\]?/.exec(pattern.slice(i))?.[0] ?? "[";
      inClass = true;
      out += start;
      i += start.length;
      continue;
    } else if (char === "(") {
      const group = /^\(\?P?<(?:[=!]|\w+>)/.exec(pattern.slice(i));
      if (group !== null) {
        out += group[0];
        i += group[0].length;
        continue;
      }
    } else if (char === "<") {
      const tag = TAG_AT(pattern, i);
      const expanded = tag === null ? null : expandTag(tag, context, remarks, { inside, open });
      if (tag !== null && expanded !== null) {
        out += expanded;
        i += tag[0].length;
        continue;
      }
    }
    out += char;
    i++;
  }
  for (const name of open)
    remarks.push({ fact: `unterminated group: <F-${name}> has no </F-${name}>`, severity: "error" });
  return out;
}

interface Nesting {
  /** Tags that are being expanded, outermost first. */
  readonly inside: readonly string[];
  /** Labels of F-tags that are open. */
  readonly open: string[];
}

function expandTag(
  tag: RegExpExecArray,
  context: TagContext,
  remarks: Remark[],
  nesting: Nesting,
): string | null {
  const [whole, slash, name = "", selfClosing] = tag;
  if (name.startsWith("F-")) return expandGroup(tag, nesting.open);
  if (slash !== "" || selfClosing !== "") return null;
  const builtIn = textTag(name);
  if (builtIn !== undefined && typeof builtIn.regex === "function") {
    const { daemon } = context;
    if (daemon === undefined) warnOnce(builtIn.withoutDaemon, remarks);
    return builtIn.regex(daemon && expand(daemon, context, remarks, [...nesting.inside, name]));
  }
  const own = Object.hasOwn(context.define, name) ? context.define[name] : undefined;
  if (own !== undefined) {
    if (nesting.inside.includes(name) || nesting.inside.length >= MAX_DEPTH) {
      remarks.push({ fact: `tag ${whole} refers to itself`, severity: "error" });
      return "";
    }
    return `(?:${expand(own, context, remarks, [...nesting.inside, name])})`;
  }
  if (builtIn !== undefined) return builtIn.regex as string;
  return unknownTag(whole, name, { context, remarks });
}

function warnOnce(fact: string | undefined, remarks: Remark[]): void {
  if (fact === undefined || remarks.some((remark) => remark.fact === fact)) return;
  remarks.push({ fact, severity: "warning" });
}

/** Upper case is an error; other text may be meant as it stands. */
function unknownTag(
  whole: string,
  name: string,
  { context, remarks }: { context: TagContext; remarks: Remark[] },
): string | null {
  const own = Object.keys(context.define);
  if (/^[A-Z][A-Z0-9_-]*$/.test(name)) {
    const near = closestName(name, [...TAGS.map((tag) => tag.name), ...own]);
    const hint = near === null ? `write \\${whole} if it is text` : `did you mean <${near}>?`;
    remarks.push({ fact: `unknown tag ${whole} (${hint})`, severity: "error" });
    return "";
  }
  const near = closestName(name, own);
  const hint = near === null ? "" : `; did you mean <${near}>?`;
  remarks.push({
    fact: `${whole} is not defined and is taken as text (write \\${whole} to say so${hint})`,
    severity: "warning",
  });
  return null;
}

/** `<F-USER>` … `</F-USER>` is a named group; `<F-USER/>` is a whole one. An end tag that nothing opened stays text. */
function expandGroup(tag: RegExpExecArray, open: string[]): string | null {
  const [, slash, name = "", selfClosing] = tag;
  const label = name.slice(2).toUpperCase();
  const { group, whole: matched } = groupTag(label);
  if (selfClosing !== "") {
    const same = textTag(label);
    return same?.inFail2ban === true ? (same.regex as string) : `(?P<${group}>${matched})`;
  }
  if (slash === "") {
    open.push(label);
    return `(?P<${group}>`;
  }
  const at = open.lastIndexOf(label);
  if (at < 0) return null;
  open.splice(at, 1);
  return ")";
}

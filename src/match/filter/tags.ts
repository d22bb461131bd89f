import { closestName } from "../../core/closest-name.ts";

/** A remark on a pattern, before it is known which list it stands in. */
export interface Remark {
  readonly fact: string;
  readonly severity: "error" | "warning";
}

/** What a filter gives to its own tags. */
export interface TagContext {
  readonly define: Readonly<Record<string, string>>;
  readonly daemon: string | undefined;
}

/**
 * Replaces fail2ban's tags, and those the filter defines, by regular expressions in Python's spelling. An escaped
 * `\<`, a `<` within a class and whatever is no tag stay text.
 */
export function expandTags(pattern: string, context: TagContext): { text: string; remarks: Remark[] } {
  const remarks: Remark[] = [];
  const text = expand(pattern, context, remarks, []);
  return { text, remarks };
}

/** The regular expression of each tag. None has lookaround or counts above 16, so all run in linear time. */
export const TAGS: Readonly<Record<string, string>> = buildTags();

const TAG = /<(\/?)([A-Za-z][\w-]*)(\/?)>/y;
const TAG_AT = (text: string, at: number): RegExpExecArray | null => {
  TAG.lastIndex = at;
  return TAG.exec(text);
};

/** Groups that fail2ban gives a meaning which needs several lines at once. */
const NEEDS_SESSIONS = new Set(["NOFAIL", "MLFGAINED"]);

const DEFAULT_DAEMON = String.raw`[^\s\[\]:]+`;
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
  /** The tags that are being expanded, outermost first. */
  readonly inside: readonly string[];
  /** The F-tags that wait for their end. */
  readonly open: string[];
}

function expandTag(
  tag: RegExpExecArray,
  context: TagContext,
  remarks: Remark[],
  nesting: Nesting,
): string | null {
  const [whole, slash, name = "", selfClosing] = tag;
  if (name.startsWith("F-")) return expandGroup(tag, remarks, nesting.open);
  if (slash !== "" || selfClosing !== "") return null;
  if (name === "SYSLOG") return expandSyslog(context, remarks, nesting);
  const own = Object.hasOwn(context.define, name) ? context.define[name] : undefined;
  if (own !== undefined) {
    if (nesting.inside.includes(name) || nesting.inside.length >= MAX_DEPTH) {
      remarks.push({ fact: `tag ${whole} refers to itself`, severity: "error" });
      return "";
    }
    return `(?:${expand(own, context, remarks, [...nesting.inside, name])})`;
  }
  const regex = Object.hasOwn(TAGS, name) ? TAGS[name] : undefined;
  if (regex !== undefined) return regex;
  if (/^[A-Z][A-Z0-9_-]*$/.test(name)) {
    const near = closestName(name, [...Object.keys(TAGS), "SYSLOG", ...Object.keys(context.define)]);
    const hint = near === null ? `write \\${whole} if it is text` : `did you mean <${near}>?`;
    remarks.push({ fact: `unknown tag ${whole} (${hint})`, severity: "error" });
    return "";
  }
  const near = closestName(name, Object.keys(context.define));
  const hint = near === null ? "" : `; did you mean <${near}>?`;
  remarks.push({
    fact: `${whole} is not defined and is taken as text (write \\${whole} to say so${hint})`,
    severity: "warning",
  });
  return null;
}

/** `<F-USER>` … `</F-USER>` is a named group; `<F-USER/>` a whole one. An end without its beginning stays text. */
function expandGroup(tag: RegExpExecArray, remarks: Remark[], open: string[]): string | null {
  const [whole, slash, name = "", selfClosing] = tag;
  const label = name.slice(2).toUpperCase();
  if (NEEDS_SESSIONS.has(label)) {
    remarks.push({
      fact: `${whole} needs to remember several lines, which is not supported`,
      severity: "error",
    });
    return "";
  }
  if (selfClosing !== "") {
    const regex = Object.hasOwn(TAGS, label) && label !== "CIDR" ? TAGS[label] : undefined;
    return regex ?? `(?P<${groupName(label)}>${label === "PORT" ? String.raw`\w+` : String.raw`\S+`})`;
  }
  if (slash === "") {
    open.push(label);
    return `(?P<${groupName(label)}>`;
  }
  const at = open.lastIndexOf(label);
  if (at < 0) return null;
  open.splice(at, 1);
  return ")";
}

function groupName(label: string): string {
  if (label === "ID") return "fid";
  return label === "PORT" ? "fport" : label.toLowerCase().replaceAll("-", "_");
}

/**
 * All that stands before the message in a syslog line: RFC 3164 and RFC 5424, dates with and without a year, epoch
 * seconds, with or without priority, host, path and process number; and the kernel's own clock.
 */
function expandSyslog(context: TagContext, remarks: Remark[], nesting: Nesting): string {
  if (context.daemon === undefined) {
    const fact = "<SYSLOG> without 'daemon' takes lines of any program";
    if (!remarks.some((remark) => remark.fact === fact)) remarks.push({ fact, severity: "warning" });
  }
  const daemon = `(?:${expand(context.daemon ?? DEFAULT_DAEMON, context, remarks, [...nesting.inside, "SYSLOG"])})`;
  const program = String.raw`(?:/\S*/)?${daemon}`;
  const iso = String.raw`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d))?`;
  const bsd = String.raw`[A-Z][a-z][a-z] {1,2}\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d(?:[.,]\d+)?`;
  const date = String.raw`(?:${bsd}|${iso}|\d{10,11}(?:[.,]\d+)?)`;
  // A host never ends with a colon: what does is a program's name.
  const classic = String.raw`(?:${date} )?(?:[\w.:\-]*\w )?${program}(?:\([\w\-]+\))?(?:\[\d+\])?: (?:\[ *\d+\.\d+\] ?|\[ID \d+ \w+\.\w+\] )?`;
  const structured = String.raw`(?:-|(?:\[(?:[^\]\\]|\\.)*\])+)`;
  const modern = String.raw`1 ${iso} \S+ ${program} \S+ \S+ ${structured} (?:\xef\xbb\xbf)?`;
  return String.raw`^(?:<\d{1,3}>)?(?:${classic}|${modern})`;
}

function buildTags(): Record<string, string> {
  const hex = "[0-9A-Fa-f]+";
  const v4 = String.raw`\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}`;
  const v6 = [
    String.raw`(?:${hex}(?::${hex})*)?::(?:(?:${hex}:)*${v4}|${hex}(?::${hex})*)?`,
    `${hex}:${hex}:${hex}:${hex}:${hex}:${hex}:(?:${hex}:${hex}|${v4})`,
  ].join("|");
  // The tails swallow what goes on like a name: '192.0.2.1.example.org' then reads as no address instead of as a forged one.
  const tail4 = String.raw`[\w.\-]*`;
  const tail6 = String.raw`[\w.:\-]*`;
  const ip4 = String.raw`\b${v4}${tail4}`;
  const ip6 = `(?:${v6})${tail6}`;
  const cidr = String.raw`(?P<cidr>\d{1,3})`;
  return {
    HOST: String.raw`\[?(?P<host>[\w.:\-]*[\w:])\]?`,
    ADDR: String.raw`\[?(?P<addr>${ip6}|${ip4})\]?`,
    IP4: `(?P<ip4>${ip4})`,
    IP6: String.raw`\[?(?P<ip6>${ip6})\]?`,
    DNS: String.raw`(?P<dns>[\w.\-]*\w)`,
    CIDR: cidr,
    SUBNET: String.raw`\[?(?P<addr>${ip6}|${ip4})(?:/${cidr})?\]?`,
  };
}

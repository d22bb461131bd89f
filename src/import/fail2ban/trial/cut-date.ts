import { ANY_DATE } from "../../../match/time/any-date.ts";
import { tokenRegex } from "../../../match/time/date-tokens.ts";
import { compilePattern, type CompiledPattern } from "../../../match/filter/pattern.ts";
import { convertPattern, UNDATED } from "../convert-pattern.ts";
import { BoundedRun } from "../../../match/run/bounded-run.ts";
import { newMatcherStats } from "../../../match/scan.ts";

/** Removes the date from a line as fail2ban does before its patterns see the line. */
export class DateCutter {
  readonly #run = new BoundedRun(newMatcherStats());
  readonly #anchored: readonly Template[];
  readonly #free: readonly Template[];
  #last: Template | null = null;

  constructor(templates: readonly Template[]) {
    this.#anchored = templates.filter(({ isAnchored }) => isAnchored);
    this.#free = templates.filter(({ isAnchored }) => !isAnchored);
  }

  /** The line without its date; null when it has none. */
  cut(line: string): string | null {
    const last = this.#last === null ? null : this.#found(this.#last, line);
    if (last !== null) return without(line, last);
    for (const template of this.#anchored) {
      const found = this.#found(template, line);
      if (found === null) continue;
      this.#last = template;
      return without(line, found);
    }
    let nearest: Found | null = null;
    for (const template of this.#free) {
      const found = this.#found(template, line);
      if (found !== null && (nearest === null || found.at < nearest.at)) nearest = found;
    }
    return nearest === null ? null : without(line, nearest);
  }

  #found({ pattern }: Template, line: string): Found | null {
    this.#run.begin(line.length);
    const match = this.#run.exec(pattern, line) ?? null;
    if (match === null) return null;
    const group = (name: string): string => {
      const place = pattern.captures.find((capture) => capture.name === name)?.groups[0] ?? 0;
      return match[place] ?? "";
    };
    return { at: group("before").length, length: group("cut").length };
  }
}

interface Found {
  readonly at: number;
  readonly length: number;
}

interface Template {
  readonly pattern: CompiledPattern;
  /** Whether it matches at the start of the line only. Such templates are tried first. */
  readonly isAnchored: boolean;
}

function without(line: string, { at, length }: Found): string {
  return line.slice(0, at) + line.slice(at + length);
}

/** For fail2ban's `datepattern`, a template on each line, or null for its own templates; null when one cannot be translated. */
export function dateCutter(datepattern: string | null): DateCutter | null {
  const lines = (datepattern ?? "").split("\n").flatMap((line) => line.trim() || []);
  const found = (lines.length === 0 ? ["{DEFAULT}"] : lines).flatMap((line): readonly (Template | null)[] => {
    if (line === "{NONE}" || line === "^()" || line === "()") return [];
    if (/^\{(?:DEFAULT|DATE)\}$/i.test(line)) return standardTemplates();
    if (/^L?EPOCH$/i.test(line)) return epochTemplates(/^L/i.test(line) ? LONG_EPOCH : EPOCH);
    return /^(?:\{\^LN-BEG\}|\^)$/.test(line)
      ? standardTemplates().filter((found) => found?.isAnchored !== false)
      : [ownTemplate(line)];
  });
  const templates = found.filter((template) => template !== null);
  return templates.length < found.length ? null : new DateCutter(templates);
}

/** Up to two characters may come before a date at the start of a line. */
const START = String.raw`^(?P<before>\W{0,2})`;
const ANYWHERE = String.raw`^(?P<before>.*?\b)`;
const END = String.raw`(?:\b|\W|$)`;

let standard: readonly (Template | null)[] | null = null;

/** Compiled once: there are many of them. */
function standardTemplates(): readonly (Template | null)[] {
  standard ??= compileStandard();
  return standard;
}

function compileStandard(): readonly (Template | null)[] {
  const shapes = [...ANY_DATE, ...ZONED].map(exact);
  return [
    ...epochTemplates(EPOCH),
    ...shapes.map((shape) => template(`${START}(?P<cut>${shape})${END}`, true)),
    template(`${START}(?P<cut>${exact("%H:%M:%S")})${END}`, true),
    template(`^(?P<before>)(?P<cut><${exact("%m/%d/%y@%H:%M:%S")}>)`, true),
    ...shapes.map((shape) => template(`${ANYWHERE}(?P<cut>${shape})${END}`, false)),
    template(`^(?P<before>.*?)(?P<cut>${TAI64N})`, false),
  ];
}

/** At the start of a line, in brackets there, and in the head of an audit record. */
function epochTemplates(epoch: string): readonly (Template | null)[] {
  return [
    template(`${START}(?P<cut>${epoch})${END}`, true),
    template(String.raw`^(?P<before>.*?\baudit\()(?P<cut>${epoch}):\d+\)`, false),
  ];
}

/** As monit and some others write them. */
const ZONED = [
  "(?:%z |[A-Z]{3,5} )(?:%a )?%b %d %H:%M:%S(?:[.,]%f)?(?: %Y)?",
  "%a %b %d(?: %Y)? %H:%M:%S(?:[.,]%f)?(?: %Y)?",
];

const EPOCH = String.raw`\d{10,11}\b(?:\.\d{3,6})?`;
const LONG_EPOCH = String.raw`\d{10,11}(?:\d{3}(?:\.\d{1,6}|\d{3})?)?`;
const TAI64N = "@[0-9a-f]{16}[0-9a-f]{8}";

function ownTemplate(line: string): Template | null {
  const [, unbound = "", start = "", text = ""] = /^(\{UNB\})?(\^|\{\^LN-BEG\})?(.*)$/s.exec(line) ?? [];
  const isEpoch = /\{L?EPOCH\}/i.test(text) || /^L?EPOCH$/i.test(text);
  const plain = convertPattern(unflagged(text), UNDATED).replace(/^\*\*|\*\*$/g, "");
  const { before, group, after } = isEpoch ? { before: "", group: plain, after: "" } : cutGroup(plain);
  const parts = [before, group, after].map(exact);
  const [b = "", g = "", a = ""] = parts;
  const isLoose =
    unbound !== "" || /^(?:\*\*|TAI64N)/.test(text) || /^\W/.test(before + group.replace(/^%/, "x"));
  const head =
    start === "^"
      ? `^(?P<before>${b})`
      : start === ""
        ? `^(?P<before>.*?${isLoose ? "" : "\\b"}${b})`
        : `^(?P<before>\\W{0,2}${b})`;
  const end = unbound !== "" || /(?:\*\*|\$|\\s|\\b)$/.test(text) ? "" : END;
  return template(`${head}(?P<cut>${g})${a}${end}`, start !== "");
}

function unflagged(text: string): string {
  return text.replace(/^\(\?[a-z]+\)/, "");
}

/** The first unnamed group is what fail2ban removes, or else everything. */
function cutGroup(text: string): { before: string; group: string; after: string } {
  const open = /(?<!\\)\((?!\?)/.exec(text)?.index;
  let depth = 0;
  for (let i = open ?? text.length; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "(") depth++;
    else if (text[i] === ")" && --depth === 0)
      return { before: text.slice(0, open), group: text.slice((open ?? 0) + 1, i), after: text.slice(i + 1) };
  }
  return { before: "", group: text, after: "" };
}

/** A template as a pattern, with the digits that each token allows. */
function exact(text: string): string {
  return text
    .replace(/\(\?P<_\w+>(\[[^\]]+\])\)/g, "$1")
    .replace(/\(\?P=_\w+\)/g, "[-/.]")
    .replace(/\{DATE\}|\{DEFAULT\}/gi, () => ANY)
    .replace(/\{LEPOCH\}|\bLEPOCH\b/gi, () => LONG_EPOCH)
    .replace(/\{EPOCH\}|\bEPOCH\b/gi, () => EPOCH)
    .replace(/\bTAI64N\b/g, () => TAI64N)
    .replace(/%(?:Ex)?([A-Za-z%])/g, (whole, letter: string) => EXACT[letter] ?? tokenRegex(letter) ?? whole);
}

const EXACT: Readonly<Record<string, string>> = {
  m: "(?:0?[1-9]|1[0-2])",
  d: "(?:[12][0-9]|[0 ]?[1-9]|3[01])",
  H: " ?(?:[01]?[0-9]|2[0-3])",
  k: " ?(?:[01]?[0-9]|2[0-3])",
  M: "[0-5]?[0-9]",
  S: "(?:[0-5]?[0-9]|6[01])",
  b: "(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)",
  a: "(?i:mon|tue|wed|thu|fri|sat|sun)",
};

/** For `{DATE}` with other text. */
const ANY = `(?:${ANY_DATE.map(exact).join("|")})`;

function template(text: string, isAnchored: boolean): Template | null {
  const { pattern } = compilePattern(text, {
    kind: "failure",
    index: 0,
    context: { define: {}, daemon: undefined },
  });
  return pattern === null ? null : { pattern, isAnchored };
}

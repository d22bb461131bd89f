import { type Address, formatAddress } from "../../../core/address.ts";
import { compileFilter, type CompiledFilter, type FilterDefinition } from "../../../match/filter/filter.ts";
import { type Explanation, explainLine } from "../../../match/explain.ts";
import { localZone } from "../../../match/time/time-zone.ts";
import type { ScanContext } from "../../../match/scan.ts";
import { convertPattern, type HostTags, UNDATED, wholeLine } from "../convert-pattern.ts";
import { withoutConditions } from "../conditions.ts";
import { dateCutter, type DateCutter } from "./cut-date.ts";

/** The patterns of a filter as fail2ban has them, and what it does to a line before it matches. */
export interface OriginalPatterns {
  readonly failregex: readonly string[];
  readonly ignoreregex: readonly string[];
  readonly prefregex: string | null;
  readonly datepattern: string | null;
  /** Whether `<HOST>` matches names. */
  readonly usesNames: boolean;
  /** Whether lines come from the journal: fail2ban then knows their time and sees what comes after it. */
  readonly isJournal: boolean;
}

/** What one program counts in a line. */
export interface Counted {
  /** An address in its usual spelling, or a name. */
  readonly host: string;
  readonly isTimed: boolean;
}

/** A filter of fail2ban that matches lines as fail2ban does: without their date, with fail2ban's own addresses. */
export class Original {
  /** How many of its patterns cannot be tried, because Stoplog refuses them. */
  readonly untried: number;
  readonly #filter: CompiledFilter;
  readonly #dates: DateCutter | null;
  readonly #isJournal: boolean;

  constructor(filter: CompiledFilter, untried: number, dates: DateCutter | null, isJournal: boolean) {
    this.#filter = filter;
    this.untried = untried;
    this.#dates = dates;
    this.#isJournal = isJournal;
  }

  /** Null when fail2ban counts nothing in the line. */
  count(line: string, context: ScanContext): Counted | null {
    const { seen, isTimed } = this.cut(line);
    const explanation = this.explain(seen, context);
    return explanation.kind === "failure" ? { host: hostName(explanation.match), isTimed } : null;
  }

  /** The text that the patterns see: the line without its date, if it has one. */
  cut(line: string): { readonly seen: string; readonly isTimed: boolean } {
    const rest = this.#isJournal ? line.replace(/^\S+ /, "") : (this.#dates?.cut(line) ?? null);
    return { seen: rest ?? line, isTimed: rest !== null };
  }

  /** What the patterns find in such a text. */
  explain(seen: string, context: ScanContext): Explanation {
    return explainLine(this.#filter, seen, context);
  }
}

/** Why each failregex cannot be tried, as a predicate; null for those that can be. */
export function whyUntried(patterns: OriginalPatterns): readonly (string | null)[] {
  const { problems } = compileFilter(definitionOf(patterns));
  const errors = problems.filter(({ list, severity }) => list === "failregex" && severity === "error");
  return patterns.failregex.map((_, i) => errors.find(({ index }) => index === i)?.fact ?? null);
}

/** Tests a pattern that need not name a host, such as an ignoreregex; null when it cannot be compiled. */
export function testOf(pattern: string, usesNames: boolean): ((text: string) => boolean) | null {
  const converted = convertPattern(withoutConditions(pattern), UNDATED, hostTags(usesNames));
  const definition = {
    name: "test",
    failregex: ["<HOST>"],
    ignoreregex: [converted],
    goodregex: [],
    datepattern: "{NONE}",
  };
  const { filter } = compileFilter(definition);
  const context = { now: 0, zone: localZone() };
  return filter === null ? null : (text) => explainLine(filter, text, context).kind === "ignored";
}

export function hostName({ host, address }: { host: string; address: Address | null }): string {
  return address === null ? host.toLowerCase() : formatAddress(address);
}

/** Null when none of its patterns, or its dates, can be tried. */
export function originalOf(patterns: OriginalPatterns): Original | null {
  const dates = patterns.isJournal ? null : dateCutter(patterns.datepattern);
  if (dates === null && !patterns.isJournal) return null;
  const usable = withoutErrors(definitionOf(patterns));
  const { filter } = usable === null ? { filter: null } : compileFilter(usable);
  if (usable === null || filter === null) return null;
  return new Original(filter, patterns.failregex.length - usable.failregex.length, dates, patterns.isJournal);
}

function definitionOf(patterns: OriginalPatterns): FilterDefinition {
  const hosts = hostTags(patterns.usesNames);
  const convert = (text: string): string => convertPattern(withoutConditions(text), UNDATED, hosts);
  const prefregex = patterns.prefregex === null ? null : wholeLine(convert(patterns.prefregex));
  return {
    name: "original",
    failregex: patterns.failregex.map(convert),
    ignoreregex: patterns.ignoreregex.map(convert),
    goodregex: [],
    datepattern: "{NONE}",
    ...(prefregex === null ? {} : { prefregex }),
  };
}

function withoutErrors(definition: FilterDefinition): FilterDefinition | null {
  const errors = compileFilter(definition).problems.filter(({ severity }) => severity === "error");
  if (errors.some(({ list }) => list !== "failregex" && list !== "ignoreregex")) return null;
  if (errors.length === 0) return definition;
  const kept = (list: "failregex" | "ignoreregex"): readonly string[] =>
    definition[list].filter(
      (_, index) => !errors.some((error) => error.list === list && error.index === index),
    );
  const failregex = kept("failregex");
  return failregex.length === 0 ? null : { ...definition, failregex, ignoreregex: kept("ignoreregex") };
}

/** Addresses and names as fail2ban reads them. */
function hostTags(usesNames: boolean): HostTags {
  const four = String.raw`(?:::f{4,6}:)?(?P<ip4>(?:\d{1,3}\.){3}\d{1,3})`;
  const six = String.raw`(?P<ip6>(?:[0-9a-fA-F]{1,4}::?|::){1,7}[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){0,6}(?:[0-9a-fA-F]{1,4})?::)`;
  const name = String.raw`(?P<dns>[\w\-.^_]*\w)`;
  const address = String.raw`\[?(?:${four}|${six})\]?`;
  const tags: Readonly<Record<string, string>> = {
    HOST: usesNames ? `(?:${address}|${name})` : address,
    ADDR: address,
    IP4: four,
    IP6: six,
    DNS: name,
    CIDR: String.raw`(?P<cidr>\d+)`,
    SUBNET: String.raw`\[?(?:${four}|${six})(?:/(?P<cidr>\d+))?\]?`,
  };
  return (step) => {
    const [, label = ""] = /^<(?:F-)?([A-Z0-9]+)\/?>$/.exec(step) ?? [];
    return step.startsWith("<F-") && !step.endsWith("/>") ? undefined : tags[label];
  };
}

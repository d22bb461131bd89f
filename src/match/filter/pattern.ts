import { PatternError } from "./escape.ts";
import { type CostClass, costClass } from "../run/cost-class.ts";
import { compilePrograms } from "../run/dfa/compile-program.ts";
import type { Programs } from "../run/dfa/program.ts";
import { findableRequirements } from "../prefilter/findable.ts";
import type { Requirement } from "../prefilter/literals.ts";
import { neighbourOf } from "../banned/neighbour.ts";
import { expandTags, type Remark } from "./tags/expand.ts";
import { ADDRESS_GROUPS, HOST_GROUPS } from "./tags/table.ts";
import type { TagContext } from "./tags/tag.ts";
import { type Translation, translate } from "./translate.ts";

/** A pattern of which only counts whether it matches. */
export interface CompiledTest {
  /** JavaScript's spelling, for one character a byte, without flags. */
  readonly source: string;
  readonly regex: RegExp;
  readonly cost: CostClass;
  /** For our own automaton; null when they would be too large, which only linear patterns may be. */
  readonly programs: Programs | null;
  /** Texts that a line must hold, each alone sufficient to tell where to look; none: every line is tried. */
  readonly requirements: readonly Requirement[];
}

export interface CompiledPattern extends CompiledTest {
  readonly kind: "good" | "failure";
  /** The place in the filter's goodregex or failregex. */
  readonly index: number;
  /** The groups that may hold the host; the first that took part counts. */
  readonly hosts: readonly number[];
  /** True when the host must be an address. */
  readonly needsAddress: boolean;
  /** The fixed text directly before every host, one character a byte; null for none (neighbour.ts). */
  readonly neighbour: string | null;
  readonly captures: readonly Capture[];
}

export interface CompiledPrefix extends CompiledPattern {
  /** The group of `<F-CONTENT>`, or 0: the patterns then see the whole line. */
  readonly content: number;
}

/** A named group other than the host. */
export interface Capture {
  readonly name: string;
  /** The first group that took part counts: `alt_user` stands in for an empty `user`. */
  readonly groups: readonly number[];
}

interface PatternPlace {
  readonly kind: "good" | "failure";
  readonly index: number;
  readonly context: TagContext;
}

/** Expands, translates and compiles one pattern; null when a remark is an error. */
export function compilePattern(
  text: string,
  { kind, index, context }: PatternPlace,
): { pattern: CompiledPattern | null; remarks: readonly Remark[] } {
  const { text: expanded, remarks } = expandTags(text, context);
  if (remarks.some((remark) => remark.severity === "error")) return { pattern: null, remarks };
  try {
    const { source, groups } = translate(expanded);
    const regex = new RegExp(source);
    if (regex.test("")) throw new PatternError("matches an empty line, and so every line");
    const hosts = hostGroups(groups);
    const needsAddress =
      hosts.length > 0 && hosts.every((group) => ADDRESS_GROUPS.has(groups[group - 1] ?? ""));
    const captures = captureGroups(groups);
    const programs = compilePrograms(source);
    return {
      pattern: {
        kind,
        index,
        source,
        regex,
        cost: costClass(source, programs),
        programs,
        requirements: findableRequirements(source),
        hosts,
        needsAddress,
        neighbour: neighbourOf(source, hosts),
        captures,
      },
      remarks,
    };
  } catch (thrown) {
    return { pattern: null, remarks: [...remarks, { fact: factOfPattern(thrown), severity: "error" }] };
  }
}

function hostGroups(groups: Translation["groups"]): number[] {
  return HOST_GROUPS.flatMap((name) => groups.flatMap((group, i) => (group === name ? i + 1 : [])));
}

function captureGroups(groups: Translation["groups"]): Capture[] {
  const byName = new Map<string, number[]>();
  const names = groups.map((group) =>
    group.startsWith("alt_") ? group.slice(4).replace(/\d+$/, "") : group,
  );
  // Plain groups first: an alternative only fills in.
  for (const isAlternative of [false, true]) {
    groups.forEach((group, i) => {
      const name = names[i] ?? group;
      if (group.startsWith("alt_") !== isAlternative || HOST_GROUPS.includes(name)) return;
      byName.set(name, [...(byName.get(name) ?? []), i + 1]);
    });
  }
  return [...byName].map(([name, numbers]) => ({ name, groups: numbers }));
}

/** V8's own messages are 'Invalid regular expression: /…/: what is wrong'. */
function factOfPattern(thrown: unknown): string {
  if (thrown instanceof PatternError) return thrown.message;
  // The parsers recurse; one that had no stack left has left nothing behind.
  if (thrown instanceof RangeError) return "nested too deep";
  if (!(thrown instanceof SyntaxError)) throw thrown;
  const fact = thrown.message.slice(thrown.message.lastIndexOf(": ") + 2);
  return fact.charAt(0).toLowerCase() + fact.slice(1);
}

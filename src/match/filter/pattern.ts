import { PatternError } from "./escape.ts";
import { type CostClass, costClass } from "../run/cost-class.ts";
import { compilePrograms } from "../run/dfa/compile-program.ts";
import type { Programs } from "../run/dfa/program.ts";
import { findableRequirements } from "../prefilter/findable.ts";
import type { Requirement } from "../prefilter/literals.ts";
import { textBeforeHost } from "../banned/text-before-host.ts";
import { expandTags, type Remark } from "./tags/expand.ts";
import { ADDRESS_GROUPS, HOST_GROUPS, SESSION_GROUPS, SKIPPED_LINES } from "./tags/table.ts";
import type { TagContext } from "./tags/tag.ts";
import { type Translation, translate } from "./translate.ts";

/** A pattern that matches or does not; its groups are not used. */
export interface CompiledTest {
  /** In JavaScript's spelling without flags, for text with one character per byte. */
  readonly source: string;
  readonly regex: RegExp;
  readonly cost: CostClass;
  /** For the automaton in dfa/; null when they would be too large, which only linear patterns may be. */
  readonly programs: Programs | null;
  /** Each alone is necessary for a match, so the prefilter may use any one; without any, every line is tried. */
  readonly requirements: readonly Requirement[];
}

export interface CompiledPattern extends CompiledTest {
  readonly kind: "good" | "failure";
  /** The place in the filter's goodregex or failregex. */
  readonly index: number;
  /** Groups that may hold the host; the first that took part is the host. */
  readonly hosts: readonly number[];
  /** True when the host must be an address. */
  readonly needsAddress: boolean;
  /** The fixed text directly before the host, one character per byte; null for none (banned/text-before-host.ts). */
  readonly textBeforeHost: string | null;
  readonly captures: readonly Capture[];
  /** The groups of `<SKIPLINES>`. */
  readonly skipped: readonly number[];
  /** Null when none of the groups of sessions is in the pattern. */
  readonly session: SessionGroups | null;
}

/** Numbers of groups; of each list the first that is not empty counts. */
export interface SessionGroups {
  readonly id: readonly number[];
  readonly note: readonly number[];
  readonly gained: readonly number[];
  readonly begin: readonly number[];
  readonly end: readonly number[];
  readonly user: readonly number[];
}

export interface CompiledPrefix extends CompiledPattern {
  /** The group of `<F-CONTENT>`, or 0 for the whole line. */
  readonly content: number;
}

/** A named group other than the host. */
export interface Capture {
  readonly name: string;
  /** The first that is not empty counts: `alt_user` replaces an empty `user`. */
  readonly groups: readonly number[];
}

interface PatternPlace {
  readonly kind: "good" | "failure";
  readonly index: number;
  readonly context: TagContext;
  /** Whether it sees several lines. */
  readonly manyLines?: boolean;
}

/** Expands, translates and compiles one pattern; `pattern` is null when a remark is an error. */
export function compilePattern(
  text: string,
  { kind, index, context, manyLines = false }: PatternPlace,
): { pattern: CompiledPattern | null; remarks: readonly Remark[] } {
  const { text: expanded, remarks } = expandTags(text, context);
  if (remarks.some((remark) => remark.severity === "error")) return { pattern: null, remarks };
  try {
    const { source, groups } = translate(expanded, manyLines);
    const regex = new RegExp(source);
    if (regex.test("")) throw new PatternError("matches an empty line and therefore every line");
    const hosts = hostGroups(groups);
    const needsAddress =
      hosts.length > 0 && hosts.every((group) => ADDRESS_GROUPS.has(groups[group - 1] ?? ""));
    const named = captureGroups(groups);
    const session = sessionGroups(named);
    const captures = named.filter(({ name }) => !SESSION_NAMES.includes(name) && name !== SKIPPED_LINES);
    const programs = compilePrograms(source);
    return {
      pattern: {
        kind,
        index,
        source,
        regex,
        cost: costClass(source, programs),
        programs,
        requirements: findableRequirements(source, manyLines),
        hosts,
        needsAddress,
        textBeforeHost: textBeforeHost(source, hosts),
        skipped: named.find(({ name }) => name === SKIPPED_LINES)?.groups ?? [],
        captures,
        session,
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
  // Plain groups first: alternatives only replace empty ones.
  for (const isAlternative of [false, true]) {
    groups.forEach((group, i) => {
      const name = names[i] ?? group;
      if (group.startsWith("alt_") !== isAlternative || HOST_GROUPS.includes(name)) return;
      byName.set(name, [...(byName.get(name) ?? []), i + 1]);
    });
  }
  return [...byName].map(([name, numbers]) => ({ name, groups: numbers }));
}

const SESSION_NAMES: readonly string[] = Object.values(SESSION_GROUPS);

function sessionGroups(captures: readonly Capture[]): SessionGroups | null {
  const of = (wanted: string): readonly number[] =>
    captures.find(({ name }) => name === wanted)?.groups ?? [];
  if (!captures.some(({ name }) => SESSION_NAMES.includes(name) || name === "user")) return null;
  const { id, note, gained, begin, end } = SESSION_GROUPS;
  const [user, begins] = [of("user"), of(begin)];
  return { id: of(id), note: of(note), gained: of(gained), begin: begins, end: of(end), user };
}

/** V8's messages have the form 'Invalid regular expression: /…/: fact'. */
function factOfPattern(thrown: unknown): string {
  if (thrown instanceof PatternError) return thrown.message;
  // A stack overflow in a recursive parser, which keeps no state.
  if (thrown instanceof RangeError) return "is nested too deep";
  if (!(thrown instanceof SyntaxError)) throw thrown;
  const fact = thrown.message.slice(thrown.message.lastIndexOf(": ") + 2);
  return fact.charAt(0).toLowerCase() + fact.slice(1);
}

import { ByteSet } from "./byte-set.ts";
import type { CompiledFilter } from "./filter.ts";
import type { Requirement } from "../prefilter/literals.ts";
import type { CompiledPattern, CompiledPrefix, CompiledTest } from "./pattern.ts";
import "../run/regex-flags.ts";

/** A compiled filter as plain data: one process compiles it, another uses it. So the daemon never loads the compiler. */
export interface FrozenFilter {
  readonly name: string;
  readonly patterns: readonly Frozen<CompiledPattern>[];
  readonly ignore: readonly Frozen<CompiledTest>[];
  readonly prefix: Frozen<CompiledPrefix> | null;
  readonly datepattern: string | null;
}

/** Without the regular expression; byte sets are lists of their members. */
type Frozen<T extends CompiledTest> = Omit<T, "regex" | "requirements"> & {
  readonly requirements: readonly (readonly (readonly (readonly number[])[])[])[];
};

export function freezeFilter(filter: CompiledFilter, datepattern: string | undefined): FrozenFilter {
  return {
    name: filter.name,
    patterns: filter.patterns.map(freeze),
    ignore: filter.ignore.map(freeze),
    prefix: filter.prefix === null ? null : freeze(filter.prefix),
    datepattern: datepattern ?? null,
  };
}

/** The filter again. Loads the compiler of datepatterns only when the filter has one. */
export async function thawFilter(frozen: FrozenFilter): Promise<CompiledFilter> {
  const undated = thawUndated(frozen);
  return frozen.datepattern === null
    ? undated
    : { ...undated, date: await readDatePattern(frozen.datepattern) };
}

/** The filter again, without its datepattern. */
export function thawUndated(frozen: FrozenFilter): CompiledFilter {
  return {
    name: frozen.name,
    patterns: frozen.patterns.map(thaw),
    ignore: frozen.ignore.map(thaw),
    prefix: frozen.prefix === null ? null : thaw(frozen.prefix),
    date: null,
  };
}

function freeze<T extends CompiledTest>(test: T): Frozen<T> {
  const { regex: _, requirements, ...rest } = test;
  return { ...rest, requirements: requirements.map(frozenRequirement) };
}

function frozenRequirement(requirement: Requirement): readonly (readonly (readonly number[])[])[] {
  return requirement.map((sequence) => sequence.map((set) => set.members()));
}

function thaw<T extends CompiledTest>(frozen: Frozen<T>): T {
  const requirements = frozen.requirements.map((requirement) =>
    requirement.map((sequence) => sequence.map(byteSet)),
  );
  // Adds what `freeze` left out.
  return { ...frozen, regex: new RegExp(frozen.source), requirements } as unknown as T;
}

/** Shares equal sets: patterns have thousands, most of them of the same single bytes. */
function byteSet(members: readonly number[]): ByteSet {
  const key = members.join();
  const known = byteSets.get(key);
  if (known !== undefined) return known;
  const set = ByteSet.of(...members);
  byteSets.set(key, set);
  return set;
}

/** Bounded by the distinct classes of all filters: some hundred. */
const byteSets = new Map<string, ByteSet>();

async function readDatePattern(text: string): Promise<CompiledFilter["date"]> {
  const { compileDatePattern } = await import("../time/date-pattern.ts");
  return compileDatePattern(text).pattern;
}

import { ByteSet } from "./byte-set.ts";
import type { CompiledFilter } from "./filter.ts";
import type { Sequence } from "../prefilter/literals.ts";
import type { CompiledPattern, CompiledPrefix, CompiledTest } from "./pattern.ts";
import "../run/regex-flags.ts";

/** A compiled filter as plain data: one process compiles it, another uses it. So the daemon never loads the compiler. */
export interface FrozenFilter {
  readonly name: string;
  readonly patterns: readonly Frozen<CompiledPattern>[];
  readonly ignore: readonly Frozen<CompiledTest>[];
  readonly prefix: Frozen<CompiledPrefix> | null;
  readonly datepattern: string | null;
  readonly session: CompiledFilter["session"];
  readonly maxlines: number;
}

/** Without the regular expression; byte sets are lists of their members. */
type Frozen<T extends CompiledTest> = Omit<T, "regex" | "requirements"> & {
  readonly requirements: readonly (readonly FrozenSequence[])[];
};

type FrozenSequence = readonly (readonly number[])[];

export function freezeFilter(filter: CompiledFilter, datepattern: string | undefined): FrozenFilter {
  // Patterns of a filter have most sequences in common. V8 writes an array once that occurs several times.
  const sequences = new Map<string, FrozenSequence>();
  const frozen = <T extends CompiledTest>(test: T): Frozen<T> => freeze(test, sequences);
  return {
    name: filter.name,
    patterns: filter.patterns.map(frozen),
    ignore: filter.ignore.map(frozen),
    prefix: filter.prefix === null ? null : frozen(filter.prefix),
    datepattern: datepattern ?? null,
    session: filter.session,
    maxlines: filter.maxlines,
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
  const sequences = new Map<FrozenSequence, Sequence>();
  const thawed = <T extends CompiledTest>(test: Frozen<T>): T => thaw(test, sequences);
  return {
    name: frozen.name,
    patterns: frozen.patterns.map(thawed),
    ignore: frozen.ignore.map(thawed),
    prefix: frozen.prefix === null ? null : thawed(frozen.prefix),
    date: null,
    session: frozen.session,
    maxlines: frozen.maxlines,
  };
}

function freeze<T extends CompiledTest>(test: T, sequences: Map<string, FrozenSequence>): Frozen<T> {
  const { regex: _, requirements, ...rest } = test;
  const frozenSequence = (sequence: Sequence): FrozenSequence => {
    const members = sequence.map((set) => set.members());
    const key = JSON.stringify(members);
    const known = sequences.get(key) ?? members;
    sequences.set(key, known);
    return known;
  };
  return { ...rest, requirements: requirements.map((requirement) => requirement.map(frozenSequence)) };
}

/** Equal sequences that were one array are one array again: choosing literals prices each once. */
function thaw<T extends CompiledTest>(frozen: Frozen<T>, sequences: Map<FrozenSequence, Sequence>): T {
  const sequence = (members: FrozenSequence): Sequence => {
    const known = sequences.get(members) ?? members.map(byteSet);
    sequences.set(members, known);
    return known;
  };
  const requirements = frozen.requirements.map((requirement) => requirement.map(sequence));
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

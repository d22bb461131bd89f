import { LF } from "../../core/ascii.ts";
import type { AST } from "@eslint-community/regexpp";
import { ByteSet } from "../filter/byte-set.ts";
import { classBytes } from "../filter/class-bytes.ts";
import { syntaxTree } from "../filter/syntax-tree.ts";

/**
 * A run of bytes, each from a set: `Failed`, or `[Ff]ailed \d`. At most MAX_LENGTH bytes; may be empty. No set holds LF, because no line
 * contains one.
 */
export type Sequence = readonly ByteSet[];

/** Every text that the pattern matches contains one of these. At most MAX_ALTERNATIVES. */
export type Requirement = readonly Sequence[];

/**
 * What a text must contain for a pattern to match. `source` is in JavaScript's spelling without flags, as `translate` makes it. Each
 * requirement alone is necessary, so the prefilter may use any one of them. Law: a requirement may let through too much, and must not
 * miss a match. Zero-width parts (anchors, lookaround) are ignored, which only lets more through. Requirements may be empty sequences
 * or too vague to search for: see `findableRequirements`.
 */
export function requirementsOf(source: string): Requirement[] {
  const { exact, required } = ofAlternatives(syntaxTree(source).alternatives);
  return exact === null ? [...required] : [exact];
}

/** What is known of a part of a pattern. */
interface Part {
  /** Everything that it can match, when that is few sequences; else null. */
  readonly exact: Requirement | null;
  /** Every match begins, and ends, with one of these, which may be empty. */
  readonly prefix: Requirement;
  readonly suffix: Requirement;
  readonly required: readonly Requirement[];
}

const EMPTY: Requirement = [[]];
const NOTHING: Part = { exact: EMPTY, prefix: EMPTY, suffix: EMPTY, required: [] };
const ANYTHING: Part = { exact: null, prefix: EMPTY, suffix: EMPTY, required: [] };

/** Sequences in a requirement. More make the tables large and the literals frequent. */
const MAX_ALTERNATIVES = 32;
/** Bytes in a sequence. */
const MAX_LENGTH = 64;
/** Copies of a repeated part that are spelled out. */
const MAX_COPIES = 8;

function ofAlternatives(alternatives: readonly AST.Alternative[]): Part {
  const parts = alternatives.map((alternative) => ofElements(alternative.elements));
  if (parts.length === 1 && parts[0] !== undefined) return parts[0];
  const exact = union(parts.map((part) => part.exact));
  if (exact !== null) return exactly(exact);
  const best = union(parts.map((part) => part.exact ?? longest(part.required)));
  return {
    exact: null,
    prefix: union(parts.map((part) => part.exact ?? part.prefix)) ?? EMPTY,
    suffix: union(parts.map((part) => part.exact ?? part.suffix)) ?? EMPTY,
    required: best === null ? [] : [best],
  };
}

/** Walks along a row of elements and extends a run of known adjacent bytes; an unknown element ends the run. */
function ofElements(elements: readonly AST.Element[]): Part {
  const required: Requirement[] = [];
  let prefix: Requirement | null = null;
  let run: Requirement = EMPTY;
  const close = (last: Requirement): void => {
    prefix ??= last;
    required.push(last);
  };
  for (const element of elements) {
    const part = ofElement(element);
    const product = cross(run, part.exact ?? part.prefix);
    if (part.exact !== null && product !== null) {
      run = product;
      continue;
    }
    close(product ?? run);
    required.push(...part.required);
    if (part.exact !== null) required.push(part.exact);
    run = part.exact ?? part.suffix;
  }
  if (prefix === null) return exactly(run);
  required.push(run);
  return { exact: null, prefix, suffix: run, required };
}

function ofElement(element: AST.Element): Part {
  switch (element.type) {
    case "Character":
      return exactly([[single(element.value)]]);
    case "CharacterSet":
    case "CharacterClass":
      return exactly([[classOf(element.raw)]]);
    case "Group":
    case "CapturingGroup":
      return ofAlternatives(element.alternatives);
    case "Quantifier":
      return ofQuantifier(element);
    case "Assertion":
      return NOTHING;
    default:
      return ANYTHING;
  }
}

function ofQuantifier({ element, min, max }: AST.Quantifier): Part {
  const part = ofElement(element);
  if (min === 0) {
    const optional = max === 1 ? union([part.exact, EMPTY]) : null;
    return optional === null ? ANYTHING : exactly(optional);
  }
  if (part.exact === null) return min === 1 && max === 1 ? part : { ...part, exact: null };
  let copies: Requirement = part.exact;
  let count = 1;
  for (; count < Math.min(min, MAX_COPIES); count++) {
    const more = cross(copies, part.exact);
    if (more === null) break;
    copies = more;
  }
  if (count === min && max === min) return exactly(copies);
  return { exact: null, prefix: copies, suffix: copies, required: [copies] };
}

function exactly(exact: Requirement): Part {
  return { exact, prefix: exact, suffix: exact, required: [] };
}

/** All sequences together; null when one requirement is unknown or they are more than MAX_ALTERNATIVES. */
function union(requirements: readonly (Requirement | null)[]): Requirement | null {
  const all: Sequence[] = [];
  for (const requirement of requirements) {
    if (requirement === null) return null;
    all.push(...requirement);
  }
  return all.length > MAX_ALTERNATIVES ? null : all;
}

/** Each of the first followed by each of the second; null when these are too many or too long. */
function cross(first: Requirement, second: Requirement): Requirement | null {
  if (first.length * second.length > MAX_ALTERNATIVES) return null;
  const all = first.flatMap((head) => second.map((tail) => [...head, ...tail]));
  return all.some((sequence) => sequence.length > MAX_LENGTH) ? null : all;
}

/** The requirement whose shortest sequence is longest, counted in selective bytes (sets of at most 4). */
function longest(requirements: readonly Requirement[]): Requirement | null {
  let best: Requirement | null = null;
  let most = 0;
  for (const requirement of requirements) {
    const telling = Math.min(
      ...requirement.map((sequence) => sequence.filter((set) => set.size <= 4).length),
    );
    if (telling > most) {
      most = telling;
      best = requirement;
    }
  }
  return best;
}

const SINGLES = Array.from({ length: 256 }, (_, byte) => ByteSet.of(byte));

function single(value: number): ByteSet {
  return SINGLES[value] ?? ByteSet.of();
}

/** The bytes of a class that a line can contain. */
function classOf(raw: string): ByteSet {
  const set = new ByteSet();
  for (const byte of classBytes(raw).members()) if (byte !== LF) set.add(byte);
  return set;
}

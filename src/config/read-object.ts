import { z } from "zod";
import { closestName } from "../core/closest-name.ts";
import type { Report } from "./report.ts";
import { type Entry, follow, plainOf, shorten, type Tree } from "./yaml-tree.ts";

/** What was written of an object, as far as it is right. A key that was left out or is wrong is undefined. */
export type Written<Schema extends z.ZodObject> = {
  readonly [Key in keyof z.output<Schema>]?: z.output<Schema>[Key];
};

export interface Where {
  /** What the sentence says cannot be used: `jail sshd`. */
  readonly what: string;
  readonly report: Report;
  /** What stands before a key's name: `filter.` within a filter in place. */
  readonly prefix?: string;
  /** Where the object begins, for keys that are missing. */
  readonly at: number;
  /** Keys that are read elsewhere. */
  readonly elsewhere?: readonly string[];
}

/**
 * Reads the keys that stand in an object, each by itself, so that one wrong value hides no other. Whatever is wrong is
 * reported at its own place.
 */
export function readObject<Schema extends z.ZodObject>(
  schema: Schema,
  tree: Tree | null,
  where: Where,
): Written<Schema> {
  if (tree === null || isNothing(tree)) return {};
  if (tree.kind !== "map") {
    const named = where.prefix === undefined ? "it" : where.prefix.slice(0, -1);
    where.report.error(where.what, `${named} must be a map of keys and values`, tree.at);
    return {};
  }
  const shape: Readonly<Record<string, z.ZodType>> = schema.shape;
  const read = [...tree.entries].flatMap(([key, entry]) => {
    if (where.elsewhere?.includes(key) === true) return [];
    const known = Object.hasOwn(shape, key) ? shape[key] : undefined;
    const value =
      known === undefined ? unknownKey(key, entry, shape, where) : readValue(known, key, entry, where);
    return value === undefined ? [] : [[key, value]];
  });
  return Object.fromEntries(read) as Written<Schema>;
}

/** Reports the keys that must be there and are not. */
export function requireKeys(schema: z.ZodObject, tree: Tree | null, where: Where): void {
  for (const [key, value] of Object.entries(schema.shape)) {
    const written = tree?.kind === "map" && tree.entries.has(key);
    if (!written && !(value as z.ZodType).safeParse(undefined).success) {
      where.report.error(where.what, `${where.prefix ?? ""}${key} is missing`, where.at);
    }
  }
}

/** What was written, with the defaults of keys that were not; null when a key without a default is missing or wrong. */
export function defaultsOf(
  schema: z.ZodObject,
  written: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> | null {
  const values: Record<string, unknown> = { ...written };
  for (const [key, value] of Object.entries(schema.shape)) {
    if (written[key] !== undefined) continue;
    const standard = (value as z.ZodType).safeParse(undefined);
    if (!standard.success) return null;
    values[key] = standard.data;
  }
  return values;
}

/** The default of a key, or undefined when it has none. */
export function defaultOf<Schema extends z.ZodObject, Key extends keyof z.output<Schema> & string>(
  schema: Schema,
  key: Key,
): z.output<Schema>[Key] | undefined {
  const value = (schema.shape as Readonly<Record<string, z.ZodType>>)[key]?.safeParse(undefined);
  return value?.success === true ? (value.data as z.output<Schema>[Key]) : undefined;
}

/** The entries of a map of named things; whatever is no such map is reported. */
export function readNames(
  tree: Tree | null,
  kind: string,
  valid: RegExp,
  where: Where,
): ReadonlyMap<string, Entry> {
  if (tree === null || isNothing(tree)) return new Map();
  if (tree.kind !== "map") {
    where.report.error(where.what, `${kind}s must be a map of names`, tree.at);
    return new Map();
  }
  for (const [name, { keyAt }] of tree.entries) {
    if (valid.test(name)) continue;
    const fact =
      "the name may hold letters, digits, dots, - and _ only, 64 at most, and begins with a letter or digit";
    where.report.error(`${kind} ${shorten(name)}`, fact, keyAt);
  }
  return tree.entries;
}

/** ` (did you mean maxretry?)`, or nothing. */
export function didYouMean(written: string, names: readonly string[]): string {
  const near = written.length > LONGEST_NAME ? null : closestName(written, names);
  return near === null || near === written ? "" : ` (did you mean ${near}?)`;
}

/** The values of an entry of a map, or null. */
export function entryOf(tree: Tree | null, key: string): Entry | null {
  return tree?.kind === "map" ? (tree.entries.get(key) ?? null) : null;
}

/** Comparing costs the product of the lengths. */
const LONGEST_NAME = 64;

function isNothing(tree: Tree): boolean {
  return tree.kind === "scalar" && tree.value === null;
}

function unknownKey(
  key: string,
  { keyAt }: Entry,
  shape: Readonly<Record<string, z.ZodType>>,
  where: Where,
): undefined {
  const inside = where.prefix === undefined ? "" : ` in ${where.prefix.slice(0, -1)}`;
  const hint = didYouMean(key, Object.keys(shape));
  where.report.error(where.what, `unknown key ${shorten(key)}${inside}${hint}`, keyAt);
  return undefined;
}

function readValue(schema: z.ZodType, key: string, { keyAt, value: tree }: Entry, where: Where): unknown {
  const name = `${where.prefix ?? ""}${key}`;
  const inner = objectIn(schema);
  if (inner !== null && (tree.kind === "map" || (isNothing(tree) && acceptsObjectOnly(schema)))) {
    return readObject(inner, tree, { what: where.what, report: where.report, prefix: `${name}.`, at: keyAt });
  }
  if (isNothing(tree)) {
    where.report.error(where.what, `${name} is empty`, keyAt);
    return undefined;
  }
  const result = schema.safeParse(plainOf(tree));
  if (result.success) return result.data;
  for (const { path, message } of result.error.issues.flatMap(innermost)) {
    where.report.error(
      where.what,
      `${[name, ...path.map(stepName)].join("")} ${message}`,
      follow(tree, path).at,
    );
  }
  return undefined;
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly code: string | undefined;
}

/**
 * Of a union's issues those of the form that was meant: the one whose fault lies within the value, else one that the
 * value has the right type for. When there is none, the union's own message names all forms.
 */
function innermost(issue: z.core.$ZodIssue): Issue[] {
  if (issue.code !== "invalid_union") return [{ path: issue.path, message: issue.message, code: issue.code }];
  const forms = issue.errors.map((errors) => errors.flatMap(innermost)).filter((issues) => issues.length > 0);
  const meant =
    forms.find((issues) => issues.every(({ path }) => path.length > 0)) ??
    forms.find((issues) =>
      issues.every(({ code, message }) => !WRONG_TYPE.has(code) && !message.startsWith("Invalid")),
    );
  if (meant === undefined) return [{ path: issue.path, message: issue.message, code: issue.code }];
  return meant.map(({ path, message, code }) => ({ path: [...issue.path, ...path], message, code }));
}

const WRONG_TYPE: ReadonlySet<string | undefined> = new Set(["invalid_type", "invalid_union"]);

/** Places in lists count from 1, as readers do. */
function stepName(step: PropertyKey): string {
  return typeof step === "number" ? ` ${step + 1}` : `.${shorten(String(step))}`;
}

function objectIn(schema: z.core.$ZodType): z.ZodObject | null {
  if (schema instanceof z.ZodObject) return schema;
  if (schema instanceof z.ZodOptional) return objectIn(schema.unwrap());
  if (schema instanceof z.ZodUnion) {
    const [found] = schema.options.flatMap((option) => objectIn(option) ?? []);
    return found ?? null;
  }
  return null;
}

function acceptsObjectOnly(schema: z.core.$ZodType): boolean {
  if (schema instanceof z.ZodOptional) return acceptsObjectOnly(schema.unwrap());
  return schema instanceof z.ZodObject;
}

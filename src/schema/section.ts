import { z } from "zod";
import { didYouMean } from "./missing.ts";
import type { Report } from "./report.ts";
import { shorten } from "./shorten.ts";
import { NAME } from "./values.ts";
import { type Entry, entryOf, follow, plainOf, type Tree } from "./yaml-tree.ts";

/** The keys of a section that were written and are right; all others are undefined. */
export type Written<Schema extends z.ZodObject> = {
  readonly [Key in keyof z.output<Schema>]?: z.output<Schema>[Key];
};

/** The same with defaults. A key without a default is undefined when it is missing or wrong. */
export type Filled<Schema extends z.ZodObject> = {
  readonly [Key in keyof z.output<Schema>]: undefined extends z.input<Schema>[Key & keyof z.input<Schema>]
    ? z.output<Schema>[Key]
    : z.output<Schema>[Key] | undefined;
};

export interface SectionPlace {
  /** The subject of error sentences: `jail sshd`. */
  readonly what: string;
  readonly report: Report;
  /** Null when the section is missing. */
  readonly tree: Tree | null;
  /** Where it begins: the place of errors about missing keys. */
  readonly at: number;
  /** Precedes the names of keys in sentences: `filter.`. */
  readonly prefix?: string;
}

/** A map of keys and values in a file. Reads keys by a schema, and reports each error at its place. */
export class Section {
  readonly what: string;
  readonly report: Report;
  readonly tree: Tree | null;
  readonly at: number;
  readonly #prefix: string;
  #failed = false;

  constructor({ what, report, tree, at, prefix = "" }: SectionPlace) {
    this.what = what;
    this.report = report;
    this.tree = tree;
    this.at = at;
    this.#prefix = prefix;
  }

  /** Whether `written` or `filled` found errors. */
  get failed(): boolean {
    return this.#failed;
  }

  entry(key: string): Entry | null {
    return entryOf(this.tree, key);
  }

  has(key: string): boolean {
    return this.entry(key) !== null;
  }

  /** Reports a fact at a key, or at the section's beginning when the key is missing or none is given. */
  refuse(fact: string, key?: string): void {
    this.refuseAt(fact, key === undefined ? null : this.entry(key)?.keyAt);
  }

  /** Reports a fact at the value of a key. */
  refuseValue(fact: string, key: string): void {
    this.refuseAt(fact, this.entry(key)?.value.at);
  }

  refuseAt(fact: string, at: number | null | undefined): void {
    this.report.error(this.what, `${this.#prefix}${fact}`, at ?? this.at);
  }

  /** Refuses each of some keys that is written: `owner needs listen: unix:PATH`. */
  refuseKeys(keys: readonly string[], fact: string): void {
    for (const key of keys) if (this.has(key)) this.refuse(`${key} ${fact}`, key);
  }

  /** A section within this one, whose keys are called `key.inner` in sentences. */
  inside(key: string): Section {
    const { what, report } = this;
    const entry = this.entry(key);
    return new Section({
      what,
      report,
      tree: entry?.value ?? null,
      at: entry?.value.at ?? this.at,
      prefix: `${this.#prefix}${key}.`,
    });
  }

  /** A section of its own in the place of a key: `the api`. */
  apart(key: string, what: string): Section {
    const entry = this.entry(key);
    return new Section({
      what,
      report: this.report,
      tree: entry?.value ?? null,
      at: entry?.keyAt ?? this.at,
    });
  }

  /**
   * Reads a map of named things. The result is null for one that has errors, which are reported, so that its name is known all the
   * same.
   */
  named<T>(
    key: string,
    noun: string,
    read: (name: string, section: Section) => T,
  ): ReadonlyMap<string, T | null> {
    const tree = this.entry(key)?.value ?? null;
    if (tree === null || isNothing(tree)) return new Map();
    if (tree.kind !== "map") {
      this.refuseAt(`${noun}s must be a map of names`, tree.at);
      return new Map();
    }
    return new Map(
      [...tree.entries].map(([name, entry]) => [name, this.#readNamed(noun, name, entry, read)]),
    );
  }

  /**
   * Reads the keys that are written, each by itself, so that one wrong value does not hide another. `elsewhere` are keys that others
   * read.
   */
  written<Schema extends z.ZodObject>(schema: Schema, elsewhere: readonly string[] = []): Written<Schema> {
    const { tree } = this;
    if (tree === null || isNothing(tree)) return {};
    if (tree.kind !== "map") {
      this.#failed = true;
      const named = this.#prefix === "" ? "it" : this.#prefix.slice(0, -1);
      this.report.error(this.what, `${named} must be a map of keys and values`, tree.at);
      return {};
    }
    const before = this.report.count;
    const read = [...tree.entries].flatMap(([key, entry]) => {
      if (elsewhere.includes(key)) return [];
      const value = this.#read(schema.shape, key, entry);
      return value === undefined ? [] : [[key, value]];
    });
    if (this.report.count > before) this.#failed = true;
    return Object.fromEntries(read) as Written<Schema>;
  }

  /** Reads all keys: what is written, and the defaults of the rest. Reports required keys that are missing. */
  filled<Schema extends z.ZodObject>(schema: Schema, elsewhere: readonly string[] = []): Filled<Schema> {
    return this.#fill(schema, this.written(schema, elsewhere));
  }

  /** `written`, and the same with defaults: null when a required key is missing or wrong. */
  read<Schema extends z.ZodObject>(
    schema: Schema,
  ): { readonly written: Written<Schema>; readonly complete: z.output<Schema> | null } {
    const written = this.written(schema);
    const filled = this.#fill(schema, written);
    const isComplete = Object.entries(schema.shape as Shape).every(
      ([key, value]) =>
        (filled as Readonly<Record<string, unknown>>)[key] !== undefined ||
        value.safeParse(undefined).success,
    );
    return { written, complete: isComplete ? (filled as z.output<Schema>) : null };
  }

  #fill<Schema extends z.ZodObject>(schema: Schema, written: Written<Schema>): Filled<Schema> {
    const missingKeys = Object.entries(schema.shape as Shape).flatMap(([key, value]): [string, unknown][] => {
      if (Object.hasOwn(written, key)) return [];
      const standard = value.safeParse(undefined);
      if (standard.success) return [[key, standard.data]];
      if (!this.has(key)) {
        this.#failed = true;
        this.refuse(`${key} is missing`);
      }
      return [];
    });
    return { ...Object.fromEntries(missingKeys), ...written } as Filled<Schema>;
  }

  #readNamed<T>(
    noun: string,
    name: string,
    { keyAt, value }: Entry,
    read: (name: string, section: Section) => T,
  ): T | null {
    const what = `${noun} ${shorten(name)}`;
    const before = this.report.count;
    if (!NAME.test(name)) this.report.error(what, WRONG_NAME, keyAt);
    const thing = read(name, new Section({ what, report: this.report, tree: value, at: keyAt }));
    return this.report.count > before ? null : thing;
  }

  #read(shape: Shape, key: string, entry: Entry): unknown {
    const schema = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (schema === undefined) {
      const within = this.#prefix === "" ? "" : ` in ${this.#prefix.slice(0, -1)}`;
      const hint = didYouMean(key, Object.keys(shape));
      this.report.error(this.what, `unknown key ${shorten(key)}${within}${hint}`, entry.keyAt);
      return undefined;
    }
    const { value: tree, keyAt } = entry;
    const inner = objectIn(schema);
    if (inner !== null && (tree.kind === "map" || (isNothing(tree) && takesObjectOnly(schema)))) {
      const { what, report } = this;
      const prefix = `${this.#prefix}${key}.`;
      return new Section({ what, report, tree, at: keyAt, prefix }).written(inner);
    }
    if (isNothing(tree)) return this.refuseAt(`${key} is empty`, keyAt);
    const result = schema.safeParse(plainOf(tree));
    if (result.success) return result.data;
    for (const { path, message } of result.error.issues.flatMap(innermost))
      this.refuseAt(`${[key, ...path.map(stepName)].join("")} ${message}`, follow(tree, path).at);
    return undefined;
  }
}

/** Keys without a value, with their defaults. */
export function defaultsOf<Schema extends z.ZodObject>(schema: Schema): Filled<Schema> {
  const standard = Object.entries(schema.shape as Shape).flatMap(([key, value]) => {
    const read = value.safeParse(undefined);
    return read.success ? [[key, read.data]] : [];
  });
  return Object.fromEntries(standard) as Filled<Schema>;
}

const WRONG_NAME =
  "the name must consist of letters, digits, dots, - and _, at most 64, and begin with a letter or digit";

type Shape = Readonly<Record<string, z.ZodType>>;

function isNothing(tree: Tree): boolean {
  return tree.kind === "scalar" && tree.value === null;
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly code: string | undefined;
}

/**
 * Of the issues of a union, those of the form that was meant: the form whose fault lies within the value, else the form whose type
 * fits. When neither exists, the union's own message names all forms.
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

/** Places in lists count from 1. */
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

function takesObjectOnly(schema: z.core.$ZodType): boolean {
  if (schema instanceof z.ZodOptional) return takesObjectOnly(schema.unwrap());
  return schema instanceof z.ZodObject;
}

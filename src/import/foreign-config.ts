import { Report } from "../schema/report.ts";
import { shorten } from "../schema/shorten.ts";
import { LONGEST_TEXT } from "../schema/longest-text.ts";
import { type Entry, parseYaml, type Tree } from "../schema/yaml-tree.ts";
import { StoplogError } from "../core/errors.ts";

/** Another program's configuration in YAML, with notes on what is not converted. */
export class ForeignConfig {
  readonly file: string;
  readonly #tree: Tree;
  readonly #report: Report;
  readonly #asked = new Set<string>();
  readonly #differences: { readonly at: number; readonly sentence: string }[] = [];

  /** Throws a StoplogError, a sentence for each fault, when the text is not YAML or not a map. */
  constructor(text: string, file: string) {
    const { tree, faults, place } = parseYaml(text);
    this.file = file;
    this.#report = new Report(file, place);
    this.#report.faults(file, faults);
    if (tree === null && faults.length === 0) this.#report.error(file, "it is empty", 0);
    if (tree !== null && tree.kind !== "map")
      this.#report.error(file, "not a map of keys and values", tree.at);
    if (tree === null || this.#report.count > 0) throw new StoplogError(this.#report.sentences.join("\n"));
    this.#tree = tree;
  }

  /** The value of a top-level key; null when it is missing. */
  get(key: string): Tree | null {
    this.#asked.add(key);
    return mapOf(this.#tree)?.get(key)?.value ?? null;
  }

  /** Notes every top-level key that `get` was not asked for. */
  sayUnknown(program: string): void {
    for (const [key, { keyAt }] of mapOf(this.#tree) ?? [])
      if (!this.#asked.has(key)) this.differs(shorten(key), `not a key of ${program}: left out`, keyAt);
  }

  /** 'WHAT: FACT (FILE:LINE:COLUMN)'. */
  differs(what: string, fact: string, at: number): void {
    this.#differences.push({ at, sentence: `${what}: ${fact} (${this.#report.place(at)})` });
  }

  /** In the order of their places in the file. */
  get differences(): readonly string[] {
    const sorted = this.#differences.toSorted((a, b) => a.at - b.at);
    return [...new Set(sorted.map(({ sentence }) => sentence))];
  }

  /** Throws a StoplogError for more characters than a configuration may have. YAML aliases can multiply them. */
  bound(characters: number): void {
    if (characters <= LONGEST_TEXT) return;
    const fact = `the result is larger than ${LONGEST_TEXT >> 20} MiB`;
    throw new StoplogError(`Cannot use ${this.file}: ${fact}`);
  }
}

/** The keys of a map, those merged by `<<` included; null when the value is not a map. */
export function mapOf(tree: Tree | null): ReadonlyMap<string, Entry> | null {
  if (tree?.kind !== "map") return null;
  const merged = tree.entries.get("<<")?.value;
  if (merged === undefined) return tree.entries;
  const sources = merged.kind === "list" ? merged.items : [merged];
  const own = [...tree.entries].filter(([key]) => key !== "<<");
  return new Map([...sources.toReversed().flatMap((source) => [...(mapOf(source) ?? [])]), ...own]);
}

/** A scalar as text; null for null, lists and maps. */
export function textOf(tree: Tree | null): string | null {
  return tree?.kind === "scalar" && tree.value !== null ? String(tree.value) : null;
}

/** Whether the value is missing or null. */
export function isNothing(tree: Tree | null): boolean {
  return tree === null || (tree.kind === "scalar" && tree.value === null);
}

/** A value as quoted in messages. */
export function shownText(tree: Tree | null): string {
  const text = textOf(tree);
  if (text !== null) return `"${shorten(text)}"`;
  return tree?.kind === "map" ? "a map" : tree?.kind === "list" ? "a list" : "nothing";
}

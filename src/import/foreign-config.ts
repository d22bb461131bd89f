import { Report } from "../config/report.ts";
import { type Entry, parseYaml, shorten, TEXT_LIMITS, type Tree } from "../config/yaml-tree.ts";
import { StoplogError } from "../core/errors.ts";

/** Another program's configuration in YAML, and what there is to say about it. */
export class ForeignConfig {
  readonly file: string;
  readonly #tree: Tree;
  readonly #report: Report;
  readonly #asked = new Set<string>();
  readonly #differences: { readonly at: number; readonly sentence: string }[] = [];

  /** Throws a StoplogError, a sentence for each fault, when the text is no YAML or no map of keys and values. */
  constructor(text: string, file: string) {
    const { tree, faults, place } = parseYaml(text);
    this.file = file;
    this.#report = new Report(file, place);
    this.#report.faults(file, faults);
    if (tree === null && faults.length === 0) this.#report.error(file, "nothing stands in it", 0);
    if (tree !== null && tree.kind !== "map")
      this.#report.error(file, "it is no map of keys and values", tree.at);
    if (tree === null || this.#report.count > 0) throw new StoplogError(this.#report.sentences.join("\n"));
    this.#tree = tree;
  }

  /** The value of a key at the top; null when it is not there. */
  get(key: string): Tree | null {
    this.#asked.add(key);
    return mapOf(this.#tree)?.get(key)?.value ?? null;
  }

  /** Says of each key at the top that nobody has asked for that it is none of the program's. */
  sayUnknown(program: string): void {
    for (const [key, { keyAt }] of mapOf(this.#tree) ?? [])
      if (!this.#asked.has(key)) this.differs(shorten(key), `${program} has no such key: left out`, keyAt);
  }

  /** 'WHAT: FACT (FILE:LINE:COLUMN)'. */
  differs(what: string, fact: string, at: number): void {
    this.#differences.push({ at, sentence: `${what}: ${fact} (${this.#report.place(at)})` });
  }

  /** In the order of their places. */
  get differences(): readonly string[] {
    const sorted = this.#differences.toSorted((a, b) => a.at - b.at);
    return [...new Set(sorted.map(({ sentence }) => sentence))];
  }

  /** Throws a StoplogError when so many characters are more than a configuration may have: aliases can stand for any number of them. */
  bound(characters: number): void {
    if (characters <= TEXT_LIMITS.length) return;
    const fact = `what comes of it is larger than ${TEXT_LIMITS.length >> 20} MiB`;
    throw new StoplogError(`Cannot use ${this.file}: ${fact}`);
  }
}

/** The keys of a map, with those that `<<` brings in; null for what is no map. */
export function mapOf(tree: Tree | null): ReadonlyMap<string, Entry> | null {
  if (tree?.kind !== "map") return null;
  const merged = tree.entries.get("<<")?.value;
  if (merged === undefined) return tree.entries;
  const sources = merged.kind === "list" ? merged.items : [merged];
  const own = [...tree.entries].filter(([key]) => key !== "<<");
  return new Map([...sources.toReversed().flatMap((source) => [...(mapOf(source) ?? [])]), ...own]);
}

/** A single value as text; null for none, lists and maps. */
export function textOf(tree: Tree | null): string | null {
  return tree?.kind === "scalar" && tree.value !== null ? String(tree.value) : null;
}

/** Whether nothing stands there. */
export function isNothing(tree: Tree | null): boolean {
  return tree === null || (tree.kind === "scalar" && tree.value === null);
}

/** A value as whoever wrote it knows it again. */
export function shownText(tree: Tree | null): string {
  const text = textOf(tree);
  if (text !== null) return `"${shorten(text)}"`;
  return tree?.kind === "map" ? "a map" : tree?.kind === "list" ? "a list" : "nothing";
}

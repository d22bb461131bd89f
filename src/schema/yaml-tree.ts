import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type ParsedNode,
  type Scalar,
  type YAMLError,
} from "yaml";
import { LIMITS } from "../core/limits.ts";
import { LONGEST_TEXT, TOO_LONG } from "./longest-text.ts";
import { shorten } from "./shorten.ts";

/** A YAML value and its place: `at` is its offset in the text. */
export type Tree =
  | { readonly kind: "scalar"; readonly at: number; readonly value: string | number | boolean | null }
  | { readonly kind: "list"; readonly at: number; readonly items: readonly Tree[] }
  | { readonly kind: "map"; readonly at: number; readonly entries: ReadonlyMap<string, Entry> };

export interface Entry {
  readonly keyAt: number;
  readonly value: Tree;
}

/** What is wrong with the YAML, and where. */
export interface TextFault {
  readonly at: number;
  readonly fact: string;
}

export interface ParsedText {
  /** Null when the text is empty or not YAML. */
  readonly tree: Tree | null;
  readonly faults: readonly TextFault[];
  readonly place: PlaceOf;
}

/** Line and column of an offset, both from 1. */
export type PlaceOf = (at: number) => TextPlace;

export interface TextPlace {
  readonly line: number;
  readonly column: number;
  /** Where the text is joined from several files: the one that has the line. */
  readonly file?: string;
}

/** Parses YAML 1.2; never throws. A number with a leading 0 stays text: `mode: 0660` is not a decimal. */
export function parseYaml(text: string): ParsedText {
  const lines = new LineCounter();
  const place: PlaceOf = (at) => {
    const { line, col } = lines.linePos(at);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const failed = (...faults: readonly TextFault[]): ParsedText => ({ tree: null, faults, place });
  if (text.length > LONGEST_TEXT) return failed({ at: 0, fact: TOO_LONG });
  const odd = ODD_CHARACTER.exec(text);
  if (odd !== null) {
    for (let i = 0; i >= 0 && i <= odd.index; i = text.indexOf("\n", i) + 1 || -1) lines.addNewLine(i);
    return failed({ at: odd.index, fact: `not a text file: it contains the character ${codePoint(odd[0])}` });
  }
  try {
    // Duplicate keys are found below, where the key can be named.
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
    const syntax = [...document.errors, ...document.warnings];
    if (syntax.length > 0) return failed(...syntax.map((error) => syntaxFault(error, text)));
    const reader = new NodeReader(document);
    const tree = document.contents === null ? null : reader.read(document.contents);
    if (reader.faults.length === 0 && reader.firstAlias !== null && expandsTooFar(document))
      return failed({ at: reader.firstAlias, fact: "aliases that expand to too much" });
    return { tree, faults: reader.faults, place };
  } catch (thrown) {
    if (thrown instanceof RangeError) return failed({ at: 0, fact: TOO_DEEP });
    throw thrown;
  }
}

const TOO_DEEP = "nested too deeply";

/** The value without its places, as JSON has it. */
export function plainOf(tree: Tree): unknown {
  switch (tree.kind) {
    case "scalar":
      return tree.value;
    case "list":
      return tree.items.map(plainOf);
    case "map":
      return Object.fromEntries([...tree.entries].map(([key, { value }]) => [key, plainOf(value)]));
  }
}

/** Follows a path as far as the tree goes, and returns the value there. */
export function follow(tree: Tree, path: readonly PropertyKey[]): Tree {
  const [step, ...rest] = path;
  if (step === undefined) return tree;
  const next =
    tree.kind === "map"
      ? tree.entries.get(String(step))?.value
      : tree.kind === "list"
        ? tree.items[Number(step)]
        : undefined;
  return next === undefined ? tree : follow(next, rest);
}

/** The entry of a key; null when the key is missing or the value is not a map. */
export function entryOf(tree: Tree | null, key: string): Entry | null {
  return tree?.kind === "map" ? (tree.entries.get(key) ?? null) : null;
}

/** Control characters that neither YAML nor a log pattern contains: the file is binary. */
const ODD_CHARACTER = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]/;

function codePoint(character: string): string {
  return `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Aliases of aliases grow like powers: a file of a few lines can stand for gigabytes. */
function expandsTooFar(document: Document.Parsed): boolean {
  try {
    document.toJS({ maxAliasCount: LIMITS.configAliases.value + 1 });
    return false;
  } catch (thrown) {
    if (thrown instanceof ReferenceError) return true;
    throw thrown;
  }
}

function syntaxFault({ code, message, pos }: YAMLError, text: string): TextFault {
  const [at] = pos;
  if (message.startsWith("Maximum call stack")) return { at: 0, fact: TOO_DEEP };
  if (code === "MULTIPLE_DOCS") return { at, fact: "more than one YAML document" };
  if (message.startsWith("Missing closing"))
    return { at: text.lastIndexOf(message.includes("'") ? "'" : '"'), fact: "quote is never closed" };
  const [sentence = ""] = message.split("\n");
  const fact = `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`.replace(/\.$/, "");
  return { at, fact: fact + cureOf(sentence) };
}

/** For text that YAML takes for something of its own. */
function cureOf(sentence: string): string {
  const tag = /^Unresolved tag: (\S+)/.exec(sentence)?.[1];
  if (tag !== undefined) return `; if it is text, quote it: "${tag}"`;
  if (!sentence.startsWith("Invalid escape sequence")) return "";
  return "; write a pattern in single quotes, where a backslash stays one";
}

/** Turns the parser's nodes into a tree, and collects what only shows there. */
class NodeReader {
  readonly faults: TextFault[] = [];
  readonly #document: Document.Parsed;
  /** Aliases share the tree of their anchor. */
  readonly #anchored = new Map<ParsedNode, Tree>();
  /** Where the first alias is. */
  firstAlias: number | null = null;

  constructor(document: Document.Parsed) {
    this.#document = document;
  }

  read(node: ParsedNode): Tree {
    if (isAlias(node)) return this.#readAlias(node);
    const tree = this.#readValue(node);
    if (node.anchor !== undefined) this.#anchored.set(node, tree);
    return tree;
  }

  #readValue(node: Exclude<ParsedNode, Alias>): Tree {
    const at = node.range[0];
    if (isSeq<ParsedNode>(node))
      return { kind: "list", at, items: node.items.map((item) => this.read(item)) };
    if (!isMap<ParsedNode, ParsedNode | null>(node))
      return { kind: "scalar", at, value: isScalar(node) ? scalarValue(node) : null };
    const entries = new Map<string, Entry>();
    for (const pair of node.items) {
      const keyAt = pair.key.range[0];
      const name = isScalar(pair.key) ? keyName(pair.key) : null;
      const value = pair.value === null ? emptyAt(keyAt) : this.read(pair.value);
      if (name === null) this.faults.push({ at: keyAt, fact: "a key must be a single word" });
      else if (entries.has(name)) this.faults.push({ at: keyAt, fact: `duplicate key ${shorten(name)}` });
      else entries.set(name, { keyAt, value });
    }
    return { kind: "map", at, entries };
  }

  #readAlias(alias: Alias.Parsed): Tree {
    const [at] = alias.range;
    this.firstAlias ??= at;
    const anchor = alias.resolve(this.#document) as ParsedNode | undefined;
    const tree = anchor === undefined ? undefined : this.#anchored.get(anchor);
    if (tree !== undefined) return tree;
    this.faults.push({ at, fact: `alias *${shorten(alias.source)} has no anchor before it` });
    return emptyAt(at);
  }
}

function emptyAt(at: number): Tree {
  return { kind: "scalar", at, value: null };
}

function scalarValue(scalar: Scalar): string | number | boolean | null {
  const { value, source, type } = scalar;
  if (type === "PLAIN" && source !== undefined && /^[-+]?0[0-9o]/.test(source)) return source;
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
  return typeof value === "string" ? value : (source ?? "");
}

function keyName(scalar: Scalar): string | null {
  if (typeof scalar.value === "string") return scalar.value;
  return scalar.value === null ? null : (scalar.source ?? null);
}

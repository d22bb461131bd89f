import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type ParsedNode,
  Parser,
  type Scalar,
  type YAMLError,
} from "yaml";
import { LIMITS } from "../core/limits.ts";
import { shorten } from "../schema/shorten.ts";

export { shorten };

/** A YAML value that knows where it stands: `at` is its offset in the text. */
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
  /** Null when the text is empty or cannot be read at all. */
  readonly tree: Tree | null;
  readonly faults: readonly TextFault[];
  /** Line and column, both from 1, of an offset. */
  readonly place: (at: number) => { readonly line: number; readonly column: number };
}

/** Bounds on what one file may contain. Beyond the depth the parser's recursion would end the process. */
export const TEXT_LIMITS = {
  /** Characters. */
  length: LIMITS.configLength.value,
  /** Levels that the parser has open. */
  depth: LIMITS.configDepth.value,
  values: LIMITS.configValues.value,
} as const;

/** Reads YAML 1.2 without ever throwing. Numbers that begin with 0 stay text, since `mode: 0660` means no decimal. */
export function parseYaml(text: string): ParsedText {
  const lines = new LineCounter();
  const place = (at: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(at);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const failed = (at: number, fact: string): ParsedText => ({ tree: null, faults: [{ at, fact }], place });
  lines.addNewLine(0);
  if (text.length > TEXT_LIMITS.length) return failed(0, `it is larger than ${TEXT_LIMITS.length >> 20} MiB`);
  const odd = ODD_CHARACTER.exec(text);
  if (odd !== null) {
    countLines(text, odd.index, lines);
    return failed(odd.index, `it contains the character ${codePoint(odd[0])}, so it is no text`);
  }
  const composed = compose(text, lines);
  if ("fact" in composed) return failed(composed.at, composed.fact);
  const { document, lastQuote } = composed;
  const syntax = [...document.errors, ...document.warnings];
  if (syntax.length > 0) {
    return { tree: null, faults: syntax.map((error) => syntaxFault(error, lastQuote)), place };
  }
  const reading: Reading = { anchors: new Map(), sizes: new Map(), faults: [], values: 0 };
  const tree = document.contents === null ? null : readNode(document.contents, reading);
  return { tree, faults: reading.faults, place };
}

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

/** The innermost value on the way along a path, and how much of the path led there. */
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

/** Neither YAML nor any log pattern has use for these; a file with them is a binary one. */
const ODD_CHARACTER = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]/;

function codePoint(character: string): string {
  return `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}

function countLines(text: string, until: number, lines: LineCounter): void {
  for (let i = text.indexOf("\n"); i >= 0 && i < until; i = text.indexOf("\n", i + 1))
    lines.addNewLine(i + 1);
}

type ParsedDocument = Document.Parsed<ParsedNode>;

interface Composed {
  readonly document: ParsedDocument;
  /** Where the last quoted text begins. */
  readonly lastQuote: number;
}

/** Lexeme by lexeme, because the depth must be known before the composer recurses into it. */
function compose(text: string, lines: LineCounter): Composed | TextFault {
  const parser = new Parser(lines.addNewLine);
  const composer = new Composer({ prettyErrors: false, uniqueKeys: false, logLevel: "silent" });
  const documents: ParsedDocument[] = [];
  let lastQuote = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (lexeme.startsWith("'") || lexeme.startsWith('"')) lastQuote = parser.offset;
    for (const token of parser.next(lexeme)) documents.push(...composer.next(token));
    if (parser.stack.length > TEXT_LIMITS.depth) {
      return { at: parser.offset, fact: "it is nested too deep" };
    }
    if (documents.length > 1) break;
  }
  for (const token of parser.end()) documents.push(...composer.next(token));
  documents.push(...composer.end(true, text.length));
  const [document, second] = documents;
  if (second !== undefined) return { at: second.range[0], fact: "it holds more than one YAML document" };
  return document === undefined ? { at: 0, fact: "it cannot be read" } : { document, lastQuote };
}

function syntaxFault(error: YAMLError, lastQuote: number): TextFault {
  if (error.message.startsWith("Missing closing"))
    return { at: lastQuote, fact: "the quote that begins here never ends" };
  const [sentence = ""] = error.message.split("\n");
  const fact = `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`.replace(/\.$/, "");
  return { at: error.pos[0], fact };
}

interface Reading {
  readonly anchors: Map<string, Tree>;
  readonly sizes: Map<Tree, number>;
  readonly faults: TextFault[];
  values: number;
}

function readNode(node: ParsedNode | null, reading: Reading): Tree {
  if (node === null) return { kind: "scalar", at: 0, value: null };
  if (isAlias(node)) return readAlias(node.source, node.range[0], reading);
  const before = reading.values;
  if (reading.values++ === TEXT_LIMITS.values) reading.faults.push(tooMuch(node.range[0]));
  const tree = readCollection(node, reading);
  const { anchor } = node;
  if (anchor !== undefined) {
    reading.anchors.set(anchor, tree);
    reading.sizes.set(tree, reading.values - before);
  }
  return tree;
}

function readCollection(node: ParsedNode, reading: Reading): Tree {
  const at = node.range[0];
  if (isSeq<ParsedNode>(node)) {
    return { kind: "list", at, items: node.items.map((item) => readNode(item, reading)) };
  }
  if (!isMap<ParsedNode, ParsedNode | null>(node)) {
    return { kind: "scalar", at, value: isScalar(node) ? scalarValue(node) : null };
  }
  const entries = new Map<string, Entry>();
  for (const pair of node.items) {
    const keyAt = pair.key.range[0];
    const name = isScalar(pair.key) ? keyName(pair.key) : null;
    const value = pair.value === null ? emptyAt(keyAt) : readNode(pair.value, reading);
    if (name === null) reading.faults.push({ at: keyAt, fact: "a key must be a single word" });
    else if (entries.has(name))
      reading.faults.push({ at: keyAt, fact: `key ${shorten(name)} is written twice` });
    else entries.set(name, { keyAt, value });
  }
  return { kind: "map", at, entries };
}

/** The anchor's own tree: it is counted again, but not copied. */
function readAlias(name: string, at: number, reading: Reading): Tree {
  const tree = reading.anchors.get(name);
  if (tree === undefined) {
    reading.faults.push({ at, fact: `alias *${shorten(name)} has no anchor before it` });
    return emptyAt(at);
  }
  const before = reading.values;
  reading.values += reading.sizes.get(tree) ?? 1;
  if (reading.values <= TEXT_LIMITS.values) return tree;
  if (before <= TEXT_LIMITS.values) reading.faults.push(tooMuch(at));
  return emptyAt(at);
}

function tooMuch(at: number): TextFault {
  return { at, fact: `it holds more than ${TEXT_LIMITS.values} values, each use of an alias counted` };
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

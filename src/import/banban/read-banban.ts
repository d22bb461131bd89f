import { formatPrefix, parsePrefix } from "../../core/prefix.ts";
import { PatternError } from "../../match/filter/escape.ts";
import { compilePattern } from "../../match/filter/pattern.ts";
import { shorten } from "../../schema/shorten.ts";
import type { Tree } from "../../schema/yaml-tree.ts";
import { type ForeignConfig, isNothing, mapOf, shownText, textOf } from "../foreign-config.ts";
import { translatePerl } from "./perl-pattern.ts";

/** The part of banban's configuration that Stoplog can do. Patterns are translated. */
export interface Banban {
  /** Path of its socket; null when not given. */
  readonly socket: string | null;
  readonly goodpatterns: readonly string[];
  readonly ignorenets: readonly string[];
  readonly blocks: readonly Block[];
}

/** A blocktype. */
export interface Block {
  readonly name: string;
  readonly at: number;
  /** The list of xt_recent. */
  readonly list: string;
  /** 0 when missing, as Perl reads it. */
  readonly minocc: number;
  /** In seconds. */
  readonly interval: number;
  readonly resetconns: boolean;
  readonly patterns: readonly string[];
}

/** Reads banban's configuration. Notes what it leaves out. */
export function readBanban(config: ForeignConfig): Banban {
  const patterns = new PatternReader(config);
  const socket = readSocket(config);
  const goodpatterns = patterns.read(config.get("goodpatterns"), "goodpatterns");
  const ignorenets = readIgnorenets(config);
  const blocks = readBlocks(config, patterns);
  config.sayUnknown("banban");
  return { socket, goodpatterns, ignorenets, blocks };
}

/** sun_path of AF_UNIX has 108 bytes, of which the last is 0. */
const LONGEST_PATH = 107;

function readSocket(config: ForeignConfig): string | null {
  const tree = config.get("socket");
  const path = textOf(tree);
  if (path !== null && /^\/[^\p{Cc}]*[^\p{Cc}/]$/u.test(path) && Buffer.byteLength(path) <= LONGEST_PATH)
    return path;
  if (tree !== null)
    config.differs(
      "socket",
      `not the absolute path of a file, of at most ${LONGEST_PATH} bytes: left out`,
      tree.at,
    );
  return null;
}

function readIgnorenets(config: ForeignConfig): readonly string[] {
  const tree = config.get("ignorenets");
  return listOf(config, tree, "ignorenets").flatMap((item) => {
    const prefix = parsePrefix((textOf(item) ?? "").trim());
    if (prefix !== null) return formatPrefix(prefix);
    config.differs("ignorenets", `${shownText(item)} is not a network: left out`, item.at);
    return [];
  });
}

function readBlocks(config: ForeignConfig, patterns: PatternReader): readonly Block[] {
  const tree = config.get("blocktypes");
  const blocks = mapOf(tree);
  if (blocks === null) {
    if (!isNothing(tree)) config.differs("blocktypes", "not a map of blocktypes: left out", tree?.at ?? 0);
    return [];
  }
  return [...blocks].flatMap(([name, { keyAt, value }]) => {
    const what = `blocktypes.${shorten(name)}`;
    const keys = mapOf(value);
    if (keys === null) {
      config.differs(what, "not a map of keys and values: left out", keyAt);
      return [];
    }
    for (const [key, { keyAt: at }] of keys)
      if (!BLOCK_KEYS.has(key))
        config.differs(`${what}.${shorten(key)}`, "not a key of banban: left out", at);
    const get = (key: string): Tree | null => keys.get(key)?.value ?? null;
    const list = textOf(get("target")) ?? "";
    const found = patterns.read(get("patterns"), `${what}.patterns`);
    if (!LIST_NAME.test(list)) {
      const fact =
        list === ""
          ? "has no target"
          : `its target ${shownText(get("target"))} is not a list name of at most 31 letters, digits, _, ., + and -`;
      config.differs(what, `${fact}: left out`, get("target")?.at ?? keyAt);
      return [];
    }
    if (found.length === 0) {
      config.differs(what, "no usable pattern: left out", keyAt);
      return [];
    }
    const number = (key: string): number => readNumber(config, get(key), `${what}.${key}`);
    const resetconns = readTruth(config, get("resetconns"), `${what}.resetconns`);
    const numbers = { minocc: number("minocc"), interval: number("interval") };
    return { name, at: keyAt, list, ...numbers, resetconns, patterns: found };
  });
}

const BLOCK_KEYS = new Set(["target", "minocc", "interval", "resetconns", "patterns"]);

/** As a target of type recent accepts it. */
const LIST_NAME = /^[A-Za-z0-9][A-Za-z0-9_.+-]{0,30}$/;

/** As Perl does: the leading number of the text, else 0. */
function readNumber(config: ForeignConfig, tree: Tree | null, what: string): number {
  if (isNothing(tree)) return 0;
  const text = textOf(tree) ?? "";
  const number = Number.parseFloat(text);
  if (!/^\s*[-+]?\d+(?:\.\d*)?\s*$/.test(text))
    config.differs(
      what,
      `${shownText(tree)} is not a number: Perl reads it as ${number || 0}`,
      tree?.at ?? 0,
    );
  return Number.isFinite(number) ? number : 0;
}

/** As Perl does: true except empty, 0 and undefined. */
function readTruth(config: ForeignConfig, tree: Tree | null, what: string): boolean {
  if (isNothing(tree)) return false;
  const text = textOf(tree) ?? "a list";
  const truth = text !== "" && text !== "0";
  if (truth && /^(?:false|no|off|n)$/i.test(text))
    config.differs(
      what,
      `${shownText(tree)} is a word, which is true in Perl: connections are cut`,
      tree?.at ?? 0,
    );
  return truth;
}

/** Translates patterns, equal ones once. */
class PatternReader {
  readonly #config: ForeignConfig;
  readonly #known = new Map<string, { readonly pattern: string } | { readonly fact: string }>();
  #characters = 0;

  constructor(config: ForeignConfig) {
    this.#config = config;
  }

  read(tree: Tree | null, what: string): readonly string[] {
    return listOf(this.#config, tree, what).flatMap((item, i) => {
      const text = textOf(item);
      const found = text === null ? { fact: `${shownText(item)} is not a pattern` } : this.#rewrite(text);
      if ("pattern" in found) {
        this.#config.bound((this.#characters += found.pattern.length));
        return found.pattern;
      }
      this.#config.differs(`${what} ${i + 1}`, `${found.fact}: left out`, item.at);
      return [];
    });
  }

  #rewrite(text: string): { readonly pattern: string } | { readonly fact: string } {
    const known = this.#known.get(text) ?? rewritten(text);
    this.#known.set(text, known);
    return known;
  }
}

function rewritten(text: string): { readonly pattern: string } | { readonly fact: string } {
  try {
    const pattern = translatePerl(text);
    const context = { define: {}, daemon: undefined };
    const { remarks } = compilePattern(pattern, { kind: "failure", index: 0, context });
    const error = remarks.find(({ severity }) => severity === "error");
    return error === undefined ? { pattern } : { fact: error.fact };
  } catch (error) {
    if (error instanceof PatternError) return { fact: error.message };
    throw error;
  }
}

/** The items of a list; notes a value that is not a list. */
function listOf(config: ForeignConfig, tree: Tree | null, what: string): readonly Tree[] {
  if (tree?.kind === "list") return tree.items;
  if (!isNothing(tree)) config.differs(what, `${shownText(tree)} is not a list: left out`, tree?.at ?? 0);
  return [];
}

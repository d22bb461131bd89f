import { dirname, isAbsolute, join } from "node:path";
import { LONGEST_TEXT } from "../../schema/longest-text.ts";
import { StoplogError } from "../../core/errors.ts";
import type { Disk } from "./disk.ts";
import { type IniFile, parseIni, type Section, type Written } from "../../core/ini.ts";
import { type Notes, sentenceOf } from "./notes.ts";

/** Several files merged: later options override earlier ones. */
export interface Settings {
  readonly defaults: Section;
  readonly sections: ReadonlyMap<string, Section>;
  /** By section, the options before a later file changed them. */
  readonly known: ReadonlyMap<string, Section>;
  /** The files in order. */
  readonly files: readonly string[];
}

/** Reads fail2ban's files, each once, up to a total size. */
export class FileReader {
  readonly #disk: Disk;
  readonly #notes: Notes;
  readonly #parsed = new Map<string, IniFile | null>();
  #characters = 0;

  constructor(disk: Disk, notes: Notes) {
    this.#disk = disk;
    this.#notes = notes;
  }

  /**
   * Reads NAME.conf, NAME.d/*.conf, NAME.local and NAME.d/*.local with their includes; null when none exists. Throws a StoplogError when all
   * files together are too large.
   */
  read(name: string): Settings | null {
    const within = this.#disk.list(`${name}.d`);
    const ending = (end: string): readonly string[] => within.filter((path) => path.endsWith(end));
    const candidates = [`${name}.conf`, ...ending(".conf"), `${name}.local`, ...ending(".local")];
    const found = candidates.filter((path) => this.#disk.exists(path));
    const files = this.#withIncluded(found, []);
    const read = files.flatMap((path) => this.#parse(path) ?? []);
    return read.length === 0 ? null : { ...merge(read), files };
  }

  /** Each file with its `before` includes before it, and its .local and `after` includes behind it. */
  #withIncluded(paths: readonly string[], inside: readonly string[]): string[] {
    const local = (path: string): string => path.replace(/\.[^./]*$/, "") + ".local";
    const all = paths.flatMap((path) => {
      const own = local(path);
      return paths.includes(own) || !this.#disk.exists(own) ? [path] : [path, own];
    });
    const files: string[] = [];
    for (const path of all) {
      files.push(...this.#included(path, "before", inside));
      if (this.#parse(path) !== null) files.push(path);
      files.push(...this.#included(path, "after", inside));
      if (files.length > MOST_FILES)
        throw new StoplogError(`Cannot use ${path}: it includes more than ${MOST_FILES} files`);
    }
    return files;
  }

  #included(path: string, option: "before" | "after", inside: readonly string[]): string[] {
    const written = this.#parse(path)?.sections.get("INCLUDES")?.get(option);
    if (written === undefined) return [];
    const names = written.text.split("\n").filter((name) => name.trim() !== "");
    return names.flatMap((name) => {
      const target = isAbsolute(name) ? name : join(dirname(path), name);
      const seen = [...inside, path];
      if (seen.includes(target) || seen.length > DEEPEST) {
        this.#notes.differs("INCLUDES", `${target} includes itself: left out`, written);
        return [];
      }
      // As fail2ban, without a note for missing files: paths-overrides.local usually does not exist.
      return this.#disk.exists(target) ? this.#withIncluded([target], seen) : [];
    });
  }

  #parse(path: string): IniFile | null {
    const known = this.#parsed.get(path);
    if (known !== undefined) return known;
    const parsed = this.#parseNew(path);
    this.#parsed.set(path, parsed);
    return parsed;
  }

  #parseNew(path: string): IniFile | null {
    const read = this.#disk.read(path);
    if ("fact" in read) {
      this.#notes.breaks(`Cannot read ${path}: ${read.fact}: left out`);
      return null;
    }
    if (NO_TEXT.test(read.text)) {
      this.#notes.breaks(`Cannot read ${path}: not a text file: left out`);
      return null;
    }
    this.#characters += read.text.length;
    if (this.#characters > LONGEST_TEXT * MOST_TEXTS)
      throw new StoplogError(`Cannot use ${path}: all files together are larger than ${MOST_TEXTS} MiB`);
    const parsed = parseIni(read.text, path);
    for (const { line, fact } of parsed.faults)
      this.#notes.breaks(sentenceOf("fail2ban refuses", fact, { file: path, line }));
    return parsed;
  }
}

/** Control characters, which stoplog.yaml must not contain either. */
const NO_TEXT = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]/;

const MOST_FILES = 2000;
const DEEPEST = 20;
/** In files of the largest size, 1 MiB. */
const MOST_TEXTS = 16;

function merge(files: readonly IniFile[]): Omit<Settings, "files"> {
  const defaults: Section = new Map();
  const sections = new Map<string, Section>();
  const known = new Map<string, Section>();
  for (const [title, section] of files.flatMap((file) => [...file.sections])) {
    // `[Init?family=inet6]` has options of Init for IPv6 only.
    const [, name = title, condition = ""] = /^(\w+)(\?.+)$/.exec(title) ?? [];
    const into = title === "DEFAULT" ? defaults : sectionOf(sections, name);
    for (const [option, written] of section) {
      const key = option + condition;
      const before = into.get(key);
      if (before !== undefined && into !== defaults) sectionOf(known, name).set(key, before);
      into.set(key, written);
    }
  }
  return { defaults, sections, known };
}

function sectionOf(sections: Map<string, Section>, name: string): Section {
  const found = sections.get(name) ?? new Map<string, Written>();
  sections.set(name, found);
  return found;
}

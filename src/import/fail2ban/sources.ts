import { basename, dirname, isAbsolute } from "node:path";
import { parseTimeZone } from "../../match/time/time-zone.ts";
import { hasWildcards, parseGlob } from "../../source/file/glob.ts";
import { matching } from "./trial/matching.ts";
import { Names } from "../names.ts";
import { flow, type Line } from "../yaml-page.ts";
import { encodingOf } from "./encoding.ts";
import type { Disk } from "./disk.ts";
import type { Written } from "../../core/ini.ts";
import type { Notes } from "./notes.ts";
import { type Call, splitCalls } from "./options.ts";
import { isFalse, isTrue, type Jail, tried } from "./read-jails.ts";

/** What a source reads, for the trial of filters. */
export type Log =
  | { readonly kind: "files"; readonly paths: readonly string[] }
  | { readonly kind: "journal"; readonly matches: readonly string[]; readonly directory: string | null }
  | { readonly kind: "own" };

/** The sources of all jails, each once. */
export class Sources {
  readonly #disk: Disk;
  readonly #notes: Notes;
  readonly #names = new Names();
  readonly #lines = new Map<string, Line>();
  readonly #logs = new Map<string, Log>();

  constructor(disk: Disk, notes: Notes) {
    this.#disk = disk;
    this.#notes = notes;
  }

  get lines(): readonly Line[] {
    return [...this.#lines.values()];
  }

  /** The names of a jail's sources; empty when it has nothing to read. */
  of(jail: Jail): readonly string[] {
    return jail.backend.name === "systemd" ? this.#journal(jail) : this.#files(jail);
  }

  /** Whether a jail reads the journal. */
  isJournal(jail: Jail): boolean {
    if (jail.backend.name === "systemd") return true;
    const paths = (jail.get("logpath")?.text ?? "").split("\n").flatMap((line) => bareLog(line) || []);
    return paths.length > 0 && this.#readsJournal(jail, paths);
  }

  /** What sources read, by their names. */
  logsOf(names: readonly string[]): readonly Log[] {
    return names.flatMap((name) => this.#logs.get(name) ?? []);
  }

  /** Stoplog's own log. */
  own(): string {
    return this.#add(
      "own",
      [
        ["type", "journal"],
        ["units", "stoplog.service"],
      ],
      { kind: "own" },
    );
  }

  #files(jail: Jail): readonly string[] {
    const written = jail.get("logpath");
    const paths = [
      ...new Set((written?.text ?? "").split("\n").flatMap((line) => this.#path(line, jail, written))),
    ];
    if (paths.length === 0) return [];
    if (this.#readsJournal(jail, paths)) {
      const fact = `${paths.join(", ")} ${paths.length === 1 ? "is" : "are"} missing: reading the journal instead`;
      this.#notes.differs(`${jail.name}.logpath`, fact, jail.get("logpath"));
      return this.#journal(jail);
    }
    if (isTrue(jail.get("skip_if_nologs")) && paths.every((path) => isMissing(path, this.#disk))) {
      const fact = `${paths.join(", ")} ${paths.length === 1 ? "is" : "are"} missing, and skip_if_nologs is set`;
      this.#notes.differs(`${jail.name}.logpath`, fact, written);
      return [];
    }
    const kept = [...this.#zone(jail), ...encodingOf(jail, this.#notes)];
    // A wildcard may match a file that is also named: a single source reads each file once.
    const together = paths.length > 1 && paths.some((path) => /[*?[]/.test(path));
    return (together ? [paths] : paths.map((path) => [path])).map((group) => {
      const [first = ""] = group;
      return this.#add(
        nameOf(first),
        [["type", "file"], ["path", group.length === 1 ? first : group], ...kept],
        { kind: "files", paths: group },
      );
    });
  }

  /** As fail2ban 1.1.1: with backend auto, missing logs and a journalmatch, it reads the journal. */
  #readsJournal(jail: Jail, paths: readonly string[]): boolean {
    const mayChoose = jail.backend.name === "auto" && !isFalse(jail.get("systemd_if_nologs"));
    const isMissing = paths.every((path) => !/[*?[\\]/.test(path) && !this.#disk.exists(path));
    return mayChoose && isMissing && this.#matches(jail).length > 0;
  }

  #path(line: string, jail: Jail, written: Written | null): string[] {
    const path = bareLog(line);
    if (path === "") return [];
    const ours = path.replace(/[{}\\]/g, (char) => `\\${char}`).replace(/\*\*+/g, "*");
    const glob = ours.startsWith("/") ? parseGlob(ours) : null;
    if (glob !== null && typeof glob !== "string") return [ours];
    const fact = glob === null ? "must begin with /" : `cannot be followed: ${glob}`;
    this.#notes.differs(jail.title("logpath"), `'${path}' ${fact}: left out`, written);
    return [];
  }

  #zone(jail: Jail): readonly Line[] {
    const written = jail.get("logtimezone");
    if (written === null || written.text === "") return [];
    const text = written.text.trim().replace(/^(?:UTC|GMT)([+-]\d\d):?(\d\d)$/i, "$1:$2");
    if (parseTimeZone(text) !== null) return [["timezone", text]];
    this.#notes.differs(
      jail.title("logtimezone"),
      `'${written.text}' is not an offset or a zone such as Europe/Berlin: left out`,
      written,
    );
    return [];
  }

  #journal(jail: Jail): readonly string[] {
    const { directory, unknown } = journalOptions(jail.backend);
    for (const option of unknown)
      this.#notes.differs(jail.title("backend"), `unknown option ${option}: left out`, jail.get("backend"));
    const matches = this.#withSessions(jail, this.#matches(jail));
    const [name = "journal"] = /[^=]+?(?=\.service$|$)/.exec(matches[0]?.split("=")[1] ?? "") ?? [];
    const keys: readonly Line[] = [
      ["type", "journal"],
      ...(directory === null ? [] : [["directory", directory] as const]),
      ...(matches.length === 0 ? [] : [["matches", matches] as const]),
    ];
    return [
      this.#add(matches.length === 0 ? "journal" : name, keys, { kind: "journal", matches, directory }),
    ];
  }

  /** From OpenSSH 9.8 on, a process of another name answers each connection and logs its failures. */
  #withSessions(jail: Jail, matches: readonly string[]): readonly string[] {
    if (!matches.includes(SSHD) || matches.some((match) => match === SESSION)) return matches;
    const alternatives = matches
      .join("\n")
      .split("\n+\n")
      .map((words) => words.split("\n"));
    const more = alternatives
      .filter((words) => words.includes(SSHD))
      .flatMap((words) => ["+", ...words.map((word) => (word === SSHD ? SESSION : word))]);
    const fact = `${SESSION} was added: OpenSSH logs under this name from 9.8 on`;
    this.#notes.differs(jail.title("journalmatch"), fact, jail.get("journalmatch") ?? journalmatchOf(jail));
    return [...matches, ...more];
  }

  /** As arguments of journalctl: each line is an alternative. */
  #matches(jail: Jail): readonly string[] {
    const written = jail.get("journalmatch") ?? journalmatchOf(jail);
    const alternatives = (written?.text ?? "").split("\n").flatMap((line) => {
      const words = splitCalls(line).map((word) => word.replace(/["']/g, ""));
      const wrong = words.filter((word) => word !== "+" && !/^[A-Z_][A-Z0-9_]*=./.test(word));
      for (const word of wrong)
        this.#notes.differs(
          jail.title("journalmatch"),
          `'${word}' is not FIELD=value: its line is left out`,
          written,
        );
      return words.length === 0 || wrong.length > 0 ? [] : [words];
    });
    return alternatives.flatMap((words, index) => (index === 0 ? words : ["+", ...words]));
  }

  #add(name: string, keys: readonly Line[], log: Log): string {
    const key = JSON.stringify(keys);
    const known = this.#lines.get(key);
    if (known !== undefined) return known[0];
    const taken = this.#names.take(name);
    this.#lines.set(key, [taken, flow(keys)]);
    this.#logs.set(taken, log);
    return taken;
  }
}

const SSHD = "_COMM=sshd";
const SESSION = "_COMM=sshd-session";

/** Whether a path, which may have wildcards, names no file. */
function isMissing(path: string, disk: Disk): boolean {
  return hasWildcards(path) ? matching(path, disk).length === 0 : !disk.exists(path);
}

/** The path in a line of `logpath`, without `tail`. */
function bareLog(line: string): string {
  return line.trim().replace(/\s+(?:tail|head)$/, "");
}

/** `/var/log/auth.log` is auth, `/var/log/nginx/*error.log` nginx-error. */
function nameOf(path: string): string {
  const file = basename(path)
    .replace(/[*?[\]]+/g, "")
    .replace(/\.(?:log|txt)$/, "")
    .replace(/^\W+|\W+$/g, "");
  const folder = basename(dirname(path)).replace(/[*?[\]]+/g, "");
  if (folder === "log" || /^\W*$/.test(folder) || folder === "" || file.startsWith(folder))
    return file || "log";
  return file === "" ? folder : `${folder}-${file}`;
}

function journalmatchOf({ filter }: Jail): Written | null {
  return filter === null ? null : tried(filter.definition, "journalmatch", () => undefined);
}

function journalOptions({ options }: Call): { directory: string | null; unknown: readonly string[] } {
  const path = options.get("journalpath") ?? null;
  const usable = path !== null && isAbsolute(path);
  // journalflags select system or user journals; journalctl shows all that it may read.
  const unknown = [...options.keys()].filter(
    (name) => name !== "journalflags" && !(name === "journalpath" && usable),
  );
  return { directory: usable ? path : null, unknown };
}

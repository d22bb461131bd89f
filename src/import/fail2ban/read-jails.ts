import { join } from "node:path";
import { Definition } from "./definition.ts";
import type { Place, Written } from "../../core/ini.ts";
import { type Given, ValueError, valueOf } from "./interpolate.ts";
import type { Notes } from "./notes.ts";
import { type Call, parseCall, splitCalls } from "./options.ts";
import type { FileReader, Settings } from "./read-files.ts";

/** An enabled jail, or `[DEFAULT]`. */
export interface Jail {
  readonly name: string;
  readonly place: Place;
  /** An option, expanded; null when it is not set or cannot be used. */
  get(option: string): Written | null;
  /** 'JAIL.OPTION', or 'DEFAULT.OPTION' when it is set there. */
  title(option: string): string;
  /** Null when it has none or the filter cannot be used. */
  readonly filter: JailFilter | null;
  readonly actions: readonly JailAction[];
  /** The backend's name, and its options. */
  readonly backend: Call;
}

export interface JailFilter {
  readonly call: Call;
  readonly definition: Definition;
  readonly place: Place;
}

export interface JailAction {
  readonly call: Call;
  /** Null when there is no file of that name. */
  readonly definition: Definition | null;
  readonly place: Place;
}

/** fail2ban's configuration as fail2ban reads it. */
export interface Jails {
  readonly defaults: Jail;
  readonly enabled: readonly Jail[];
}

/** Null when neither jail.conf nor jail.local exists. */
export function readJails(folder: string, reader: FileReader, notes: Notes): Jails | null {
  const settings = reader.read(join(folder, "jail"));
  if (settings === null) return null;
  const given: Given = new Map([
    ["fail2ban_version", "1.1.1"],
    ["fail2ban_confpath", folder],
  ]);
  const all = { settings, given, notes, folder, reader };
  const enabled = [...settings.sections.keys()]
    .filter((name) => name !== "INCLUDES")
    .filter((name) => isTrue(new Reading(name, all, given).get("enabled")));
  return { defaults: new Reading("DEFAULT", all, given), enabled: enabled.map((name) => jailOf(name, all)) };
}

export function isTrue(written: Written | null): boolean {
  return written !== null && /^(?:1|on|true|yes)$/i.test(written.text.trim());
}

export function isFalse(written: Written | null): boolean {
  return written !== null && /^(?:0|off|false|no)$/i.test(written.text.trim());
}

interface All {
  readonly settings: Settings;
  readonly given: Given;
  readonly notes: Notes;
  readonly folder: string;
  readonly reader: FileReader;
}

class Reading implements Jail {
  readonly name: string;
  readonly place: Place;
  readonly filter: JailFilter | null = null;
  readonly actions: readonly JailAction[] = [];
  readonly #all: All;
  readonly #given: Given;

  constructor(name: string, all: All, given: Given) {
    this.name = name;
    this.#all = all;
    this.#given = given;
    const [first] = all.settings.sections.get(name)?.values() ?? [];
    this.place = first ?? { file: all.settings.files[0] ?? all.folder, line: 1 };
  }

  get backend(): Call {
    const text = this.get("backend")?.text ?? "";
    return parseCall(text) ?? { name: "auto", options: new Map() };
  }

  get(option: string): Written | null {
    const { settings, notes } = this.#all;
    try {
      return valueOf(settings, this.name, option, this.#given);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      const at = settings.sections.get(this.name)?.get(option) ?? settings.defaults.get(option) ?? this.place;
      notes.differs(this.title(option), `${error.message}: left out`, at);
      return null;
    }
  }

  title(option: string): string {
    const isOwn = this.#all.settings.sections.get(this.name)?.has(option) === true;
    return `${isOwn ? this.name : "DEFAULT"}.${option}`;
  }
}

function jailOf(name: string, all: All): Jail {
  const first = new Reading(name, all, all.given);
  const filter = filterOf(first, all);
  const reading = new Reading(name, all, filter === null ? all.given : withKnown(first, filter, all));
  const { place, backend } = reading;
  return {
    name,
    place,
    backend,
    filter,
    actions: actionsOf(reading, all),
    get: (option) => reading.get(option),
    title: (option) => reading.title(option),
  };
}

function filterOf(jail: Jail, { folder, reader, notes }: All): JailFilter | null {
  const written = jail.get("filter");
  if (written === null || written.text.trim() === "") return null;
  const call = parseCall(written.text.trim());
  const settings =
    call === null || !isName(call.name) ? null : reader.read(join(folder, "filter.d", call.name));
  if (call === null || settings === null) {
    notes.differs(`${jail.name}.filter`, `filter '${written.text}' not found`, written);
    return null;
  }
  const auto =
    settings.sections.get("Definition")?.has("logtype") === true ? [] : [["logtype", logtype(jail)] as const];
  const given: Given = new Map([...auto, ...call.options]);
  return { call, definition: new Definition(settings, given), place: written };
}

function logtype(jail: Jail): string {
  return jail.backend.name.startsWith("systemd") ? "journal" : "file";
}

/** The options of its filter that a jail refers to, as in `%(known/failregex)s`. */
function withKnown(jail: Jail, { call, definition }: JailFilter, { settings, given, notes }: All): Given {
  const asked = [...(settings.sections.get(jail.name) ?? []), ...settings.defaults]
    .flatMap(([, { text }]) => [...text.matchAll(/%\(known\/([^)]+)\)s/g)])
    .map(([, option = ""]) => option.toLowerCase());
  const known = asked.flatMap((option): [string, string][] => {
    if (!definition.says(option)) return [];
    const found = tried(definition, option, (fact) =>
      notes.differs(`filter ${call.name}: ${option}`, `${fact}: left out`, jail.place),
    );
    return found === null ? [] : [[`known/${option}`, found.text.replaceAll("%", "%%")]];
  });
  return new Map([...given, ...known]);
}

/** An option of a filter or an action; null, with a note, when it cannot be expanded. */
export function tried(definition: Definition, option: string, say: (fact: string) => void): Written | null {
  try {
    return definition.get(option);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    say(error.message);
    return null;
  }
}

function actionsOf(jail: Jail, { folder, reader, notes }: All): readonly JailAction[] {
  const written = jail.get("action");
  if (written === null) return [];
  return splitCalls(written.text).flatMap((text): JailAction[] => {
    const call = parseCall(text);
    if (call === null || !isName(call.name)) {
      notes.differs(`${jail.name}.action`, `'${text.slice(0, 60)}' is not an action: left out`, written);
      return [];
    }
    const settings = reader.read(join(folder, "action.d", call.name));
    const given: Given = new Map([["name", jail.name], ...call.options]);
    return [{ call, place: written, definition: settings === null ? null : new Definition(settings, given) }];
  });
}

/** Not a path to another folder. */
function isName(name: string): boolean {
  return /^[\w.@+-]+$/.test(name) && !name.startsWith(".");
}

import type { Written } from "../../core/ini.ts";
import { type Given, ValueError, valueOf } from "./interpolate.ts";
import { fillTags } from "./own-tags.ts";
import type { Settings } from "./read-files.ts";

/** A filter or an action: [Definition] and [Init], with the values that a jail passes. */
export class Definition {
  readonly #settings: Settings;
  readonly #given: Given;
  readonly #filled = new Map<string, Written | null>();

  /** `given` overrides the files. */
  constructor(settings: Settings, given: Given) {
    this.#settings = settings;
    this.#given = given;
  }

  get files(): readonly string[] {
    return this.#settings.files;
  }

  /** Whether the files set the option; defaults do not count. */
  says(option: string): boolean {
    return ["Definition", "Init"].some((name) => this.#settings.sections.get(name)?.has(option) === true);
  }

  /** Whether any option is for one address family only. */
  get isConditional(): boolean {
    return [...(this.#settings.sections.get("Init")?.keys() ?? [])].some((option) => option.includes("?"));
  }

  /** The value with all known tags expanded; null when it is not set. Throws a ValueError. */
  get(option: string): Written | null {
    const known = this.#filled.get(option);
    if (known !== undefined) return known;
    const raw = this.#raw(option);
    const find = (name: string): string | null => this.#raw(name)?.text ?? null;
    const filled = raw === null ? null : { ...raw, text: fillTags(raw.text, option, find) };
    this.#filled.set(option, filled);
    return filled;
  }

  #raw(name: string): Written | null {
    const given = this.#given.get(name);
    if (given !== undefined) {
      const at = this.#settings.sections.get("Definition")?.get(name) ?? { file: "", line: 0 };
      return { ...at, text: given };
    }
    const [, section = "", option = name] = /^([\w-]+)\/([^\s>]+)$/.exec(name) ?? [];
    if (section === "known") return this.#known(option);
    if (section !== "") return this.#in(section, option);
    return this.#ownInit(option) ?? this.#in("Definition", option);
  }

  /** `<known/x>`: the value in the files, whatever was passed. */
  #known(option: string): Written | null {
    return this.#ownInit(option) ?? this.#in("Definition", option);
  }

  #ownInit(option: string): Written | null {
    return this.#settings.sections.get("Init")?.has(option) === true
      ? valueOf(this.#settings, "Init", option)
      : null;
  }

  #in(section: string, option: string): Written | null {
    const name = section.toLowerCase() === "default" ? "DEFAULT" : section;
    try {
      return valueOf(
        this.#settings,
        name,
        option.toLowerCase(),
        section === "Definition" ? this.#given : new Map(),
      );
    } catch (error) {
      // An unknown tag stays text; an unknown option is an error.
      if (error instanceof ValueError && section !== "Definition") return null;
      throw error;
    }
  }
}

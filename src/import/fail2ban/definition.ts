import type { Written } from "./ini.ts";
import { type Given, ValueError, valueOf } from "./interpolate.ts";
import { fillTags } from "./own-tags.ts";
import type { Settings } from "./read-files.ts";

/** A filter or an action: [Definition] and [Init], with what a jail gives to it. */
export class Definition {
  readonly #settings: Settings;
  readonly #given: Given;
  readonly #filled = new Map<string, Written | null>();

  /** `given` goes before what the files say. */
  constructor(settings: Settings, given: Given) {
    this.#settings = settings;
    this.#given = given;
  }

  get files(): readonly string[] {
    return this.#settings.files;
  }

  /** Whether the files themselves say an option, beside defaults. */
  says(option: string): boolean {
    return ["Definition", "Init"].some((name) => this.#settings.sections.get(name)?.has(option) === true);
  }

  /** Whether any option counts for one family of addresses alone. */
  get isConditional(): boolean {
    return [...(this.#settings.sections.get("Init")?.keys() ?? [])].some((option) => option.includes("?"));
  }

  /** With all tags filled in that can be; null when nobody says it. Throws a ValueError. */
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

  /** `<known/x>`: what [Init] says, though something else was given. */
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
      // A tag that nobody can tell stays text; an option that somebody asks for does not.
      if (error instanceof ValueError && section !== "Definition") return null;
      throw error;
    }
  }
}

/** A place in an INI file. */
export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** An option as written. Continuation lines are joined by line feeds. */
export interface Written extends Place {
  readonly text: string;
}

/** By the option's name in lower case. */
export type Section = Map<string, Written>;

export interface IniFile {
  /** `[DEFAULT]` included. */
  readonly sections: Map<string, Section>;
  readonly faults: readonly { readonly line: number; readonly fact: string }[];
}

/** What programs that read INI files do differently. */
export interface IniDialect {
  /** Separates an option's name from its value. */
  readonly separator: RegExp;
  /** Whether an indented line continues the value above it. */
  readonly continues: boolean;
  /** Whether `;` after white space begins a comment. */
  readonly trailingComments: boolean;
}

/** Python's ConfigParser as fail2ban uses it. */
export const FAIL2BAN: IniDialect = { separator: /[=:]/, continues: true, trailingComments: true };

/** systemd.syntax(7), without line continuation by a backslash. */
export const SYSTEMD: IniDialect = { separator: /=/, continues: false, trailingComments: false };

/** Reads an INI file. Comments are lines that begin with `#` or `;`. Names of options are lowered: no reader has two that differ in case. */
export function parseIni(text: string, file: string, dialect: IniDialect = FAIL2BAN): IniFile {
  const reading = new Reading(file, dialect);
  text.split(/\r\n|[\n\r]/).forEach((line, index) => reading.take(line, index + 1));
  return reading.end();
}

class Reading {
  readonly #file: string;
  readonly #dialect: IniDialect;
  readonly #sections = new Map<string, Section>();
  readonly #faults: { line: number; fact: string }[] = [];
  #section: Section | null = null;
  #open: { readonly name: string; readonly line: number; readonly texts: string[] } | null = null;
  #indent = 0;

  constructor(file: string, dialect: IniDialect) {
    this.#file = file;
    this.#dialect = dialect;
  }

  take(line: string, number: number): void {
    const text = withoutComment(line, this.#dialect);
    if (text === "") {
      // Comments within a value are skipped; blank lines belong to it.
      if (line.trim() === "") this.#open?.texts.push("");
      return;
    }
    const indent = line.length - line.trimStart().length;
    if (this.#dialect.continues && this.#open !== null && indent > this.#indent) {
      this.#open.texts.push(text);
      return;
    }
    this.#indent = indent;
    this.#close();
    const header = /^\[(.+)\]/.exec(text)?.[1];
    if (header === undefined) this.#option(text, number);
    else this.#header(header, number);
  }

  end(): IniFile {
    this.#close();
    return { sections: this.#sections, faults: this.#faults };
  }

  #header(name: string, line: number): void {
    const before = this.#sections.get(name);
    if (before !== undefined && name !== "DEFAULT") this.#fault(line, `duplicate section [${name}]`);
    this.#section = before ?? new Map<string, Written>();
    this.#sections.set(name, this.#section);
  }

  #option(text: string, line: number): void {
    const end = text.search(this.#dialect.separator);
    const name = text.slice(0, Math.max(0, end)).trim().toLowerCase();
    if (this.#section === null) return this.#fault(line, "before any [section]: left out");
    if (name === "") return this.#fault(line, "not an option, section or comment: left out");
    if (this.#section.has(name)) this.#fault(line, `duplicate option ${name}: the last one counts`);
    this.#open = { name, line, texts: [text.slice(end + 1).trim()] };
  }

  #close(): void {
    if (this.#open === null) return;
    const { name, line, texts } = this.#open;
    this.#section?.set(name, { text: texts.join("\n").trimEnd(), file: this.#file, line });
    this.#open = null;
  }

  #fault(line: number, fact: string): void {
    this.#faults.push({ line, fact });
  }
}

/** The line without comment and white space at its ends. */
function withoutComment(line: string, { trailingComments }: IniDialect): string {
  if (/^\s*[#;]/.test(line)) return "";
  return (trailingComments ? line.replace(/\s;.*$/s, "") : line).trim();
}

import { missingWord, wrongValue } from "./command-error.ts";
import type { Fail2banHost } from "./host.ts";
import type { Lists } from "./lists.ts";
import type { Plain } from "./plain.ts";

/** A command after its first word. */
export interface Command {
  readonly host: Fail2banHost;
  readonly words: Words;
  readonly lists: Lists;
}

/** The words of a command after some of them. Clients of fail2ban send numbers as numbers or as text. */
export class Words {
  readonly #words: readonly Plain[];

  constructor(words: readonly Plain[]) {
    this.#words = words;
  }

  get length(): number {
    return this.#words.length;
  }

  at(index: number): string {
    const word = this.#words[index];
    if (word === undefined) throw missingWord();
    if (typeof word === "string") return word;
    if (typeof word === "number") return String(word);
    if (typeof word === "boolean") return word ? "True" : "False";
    throw wrongValue(`Cannot read the command: word ${index + 1} is not text`);
  }

  /** All words from this one on. */
  from(index: number): readonly string[] {
    return this.#words.slice(index).map((_, i) => this.at(index + i));
  }

  /** A list within the command. */
  listAt(index: number): readonly Plain[] {
    const word = this.#words[index];
    return Array.isArray(word) ? word : [];
  }

  after(count: number): Words {
    return new Words(this.#words.slice(count));
  }
}

import { excerpt } from "../../core/printable.ts";
import { shorten } from "../../schema/shorten.ts";
import type { Place } from "../../core/ini.ts";

/** Differences from fail2ban, one sentence each. */
export class Notes {
  readonly #sentences = new Set<string>();

  /** 'WHAT: FACT (FILE:LINE)'. */
  differs(what: string, fact: string, place: Place | null): void {
    const where = place === null ? "" : ` (${place.file}:${place.line})`;
    this.#sentences.add(`${shorten(what)}: ${excerpt(fact, LONGEST)}${where}`);
  }

  say(sentence: string): void {
    this.#sentences.add(sentence);
  }

  /** In order, without duplicates. */
  get sentences(): readonly string[] {
    return [...this.#sentences];
  }
}

/** Characters of a fact, which may quote the file. */
const LONGEST = 300;

import { excerpt } from "../../core/printable.ts";
import { shorten } from "../../schema/shorten.ts";
import type { Place } from "../../core/ini.ts";

/** Differences from fail2ban, one sentence each. */
export class Notes {
  readonly #sentences = new Set<string>();
  readonly #broken = new Set<string>();

  /** 'WHAT: FACT (FILE:LINE)'. */
  differs(what: string, fact: string, place: Place | null): void {
    this.say(sentenceOf(what, fact, place));
  }

  say(sentence: string): void {
    this.#sentences.add(sentence);
  }

  /** A file that fail2ban does not start with either. */
  breaks(sentence: string): void {
    this.#broken.add(sentence);
    this.say(sentence);
  }

  get broken(): readonly string[] {
    return [...this.#broken];
  }

  /** In order, without duplicates. */
  get sentences(): readonly string[] {
    return [...this.#sentences];
  }
}

/** 'WHAT: FACT (FILE:LINE)'. */
export function sentenceOf(what: string, fact: string, place: Place | null): string {
  const where = place === null ? "" : ` (${place.file}:${place.line})`;
  return `${shorten(what)}: ${excerpt(fact, LONGEST)}${where}`;
}

/** Characters of a fact, which may quote the file. */
const LONGEST = 300;

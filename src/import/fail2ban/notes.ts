import { shorten } from "../../config/yaml-tree.ts";
import type { Place } from "./ini.ts";

/** What is not the same as with fail2ban: one sentence each. */
export class Notes {
  readonly #sentences = new Set<string>();

  /** 'WHAT: FACT (FILE:LINE)'. */
  differs(what: string, fact: string, place: Place | null): void {
    const where = place === null ? "" : ` (${place.file}:${place.line})`;
    this.#sentences.add(`${shorten(what)}: ${bounded(fact)}${where}`);
  }

  say(sentence: string): void {
    this.#sentences.add(sentence);
  }

  /** In the order in which they were said; none twice. */
  get sentences(): readonly string[] {
    return [...this.#sentences];
  }
}

/** Whatever stands in a file may stand in a fact about it. */
function bounded(fact: string): string {
  const visible = fact.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, "?");
  return visible.length > LONGEST ? `${visible.slice(0, LONGEST)}...` : visible;
}

const LONGEST = 300;

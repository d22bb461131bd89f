import { LIMITS } from "../core/limits.ts";
import { shorten, type TextFault } from "./yaml-tree.ts";

/** Where an offset of a text stands; lines and columns count from 1. */
export type PlaceOf = (at: number) => { readonly line: number; readonly column: number };

/** Collects everything that is wrong with one file, as sentences in the order of their places. */
export class Report {
  readonly #file: string;
  readonly #placeOf: PlaceOf;
  readonly #errors: { readonly at: number; readonly sentence: string }[] = [];

  constructor(file: string, placeOf: PlaceOf) {
    this.#file = file;
    this.#placeOf = placeOf;
  }

  /** `Cannot use ${what}: ${fact} (file:line:column)`. */
  error(what: string, fact: string, at: number): void {
    this.#errors.push({ at, sentence: `Cannot use ${what}: ${fact} (${this.place(at)})` });
  }

  faults(what: string, faults: readonly TextFault[]): void {
    for (const { at, fact } of faults) this.error(what, fact, at);
  }

  /** `stoplog.yaml:14:15`. */
  place(at: number): string {
    const { line, column } = this.#placeOf(at);
    return `${this.#file}:${line}:${column}`;
  }

  /** How many errors there are. */
  get count(): number {
    return this.#errors.length;
  }

  get sentences(): readonly string[] {
    const sorted = this.#errors.toSorted((a, b) => a.at - b.at);
    const shown = [...new Set(sorted.map(({ sentence }) => sentence))];
    if (shown.length <= MOST) return shown;
    const more = `Cannot use ${shorten(this.#file)}: it has ${shown.length - MOST} errors more than these`;
    return [...shown.slice(0, MOST), more];
  }
}

/** Who has made more mistakes than these has made one mistake. */
const MOST = LIMITS.configErrors.value;

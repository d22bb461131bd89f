import { LIMITS } from "../core/limits.ts";
import { shorten } from "./shorten.ts";
import type { PlaceOf, TextFault } from "./yaml-tree.ts";

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
    const { line, column, file = this.#file } = this.#placeOf(at);
    return `${file}:${line}:${column}`;
  }

  /** The number of errors so far. */
  get count(): number {
    return this.#errors.length;
  }

  /** Without duplicates; beyond the limit, one sentence counts the rest. */
  get sentences(): readonly string[] {
    const sorted = this.#errors.toSorted((a, b) => a.at - b.at);
    const shown = [...new Set(sorted.map(({ sentence }) => sentence))];
    if (shown.length <= MOST) return shown;
    const more = `Cannot use ${shorten(this.#file)}: ${shown.length - MOST} more errors`;
    return [...shown.slice(0, MOST), more];
  }
}

const MOST = LIMITS.configErrors.value;

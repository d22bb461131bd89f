/**
 * The newest lines of a log, for a filter with `maxlines`. A line that a match took is not there any more, but keeps its place: what the
 * filter sees depends on the last lines alone.
 */
export class LineWindow {
  readonly #size: number;
  /** Newest last; null for a line that a match took. */
  #lines: (string | null)[] = [];
  /** The number of the newest line. */
  #number = 0;
  /** By pattern, the number of the last line with one of its literals. */
  readonly #seen: Float64Array;

  constructor(size: number, patterns: number) {
    this.#size = size;
    this.#seen = new Float64Array(patterns).fill(-size);
  }

  push(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > this.#size) this.#lines.shift();
    this.#number++;
  }

  /** Forgets all lines: others followed that were not pushed. */
  clear(): void {
    this.#lines = [];
    this.#number += this.#size;
  }

  /** Notes that the newest line has a literal of the pattern. */
  see(pattern: number): void {
    this.#seen[pattern] = this.#number;
  }

  /** Whether one of the lines has a literal of the pattern. */
  hasSeen(pattern: number): boolean {
    return this.#number - this.#seen[pattern]! < this.#size;
  }

  get text(): string {
    return this.#lines.filter((line) => line !== null).join("\n");
  }

  /** Takes the lines that a match touches, from one place of the text to another, except those that it skipped, in their order. */
  take(from: number, to: number, skipped: readonly string[]): void {
    let begin = 0;
    let kept = 0;
    for (let i = 0; i < this.#lines.length && begin <= to; i++) {
      const line = this.#lines[i] ?? null;
      if (line === null) continue;
      const end = begin + line.length;
      if (end >= from) {
        if (line === skipped[kept]) kept++;
        else this.#lines[i] = null;
      }
      begin = end + 1;
    }
  }
}

import { LF } from "../../core/ascii.ts";
import type { LineBatch } from "../../core/batch.ts";
import { decodeLine } from "../../core/printable.ts";
import { hostName, type Original } from "../../import/fail2ban/trial/original.ts";
import { lineText } from "../../match/line-text.ts";
import type { ScanContext } from "../../match/scan.ts";
import { readTimestamp } from "../../match/time/read-timestamp.ts";
import { LineStream } from "../../source/line-splitter.ts";
import { newSourceStats } from "../../source/source.ts";

export type LineKind = "matched" | "ignored" | "missed";

export interface TrialPatterns {
  readonly original: Original;
  /** The numbers of its failregex, from 1. */
  readonly numbers: readonly number[];
  readonly ignores: readonly ((text: string) => boolean)[];
  readonly prefix: ((text: string) => boolean) | null;
}

/** Runs a filter of fail2ban over lines, and counts as `fail2ban-regex` does. */
export class RegexTrial {
  readonly #patterns: TrialPatterns;
  readonly #context: ScanContext;
  /** The most lines of each kind that are kept. */
  readonly #keep: Readonly<Record<LineKind, number>>;
  /** Hits by the number of the failregex, and the hosts with their times. */
  readonly hits = new Map<number, number>();
  readonly hosts = new Map<number, { readonly host: string; readonly at: number }[]>();
  readonly ignoreHits: number[];
  readonly counts: Record<LineKind, number> = { matched: 0, ignored: 0, missed: 0 };
  readonly lines: Readonly<Record<LineKind, string[]>> = { matched: [], ignored: [], missed: [] };
  dated = 0;
  prefixed = 0;

  constructor(patterns: TrialPatterns, context: ScanContext, keep: Readonly<Record<LineKind, number>>) {
    this.#patterns = patterns;
    this.#context = context;
    this.#keep = keep;
    this.ignoreHits = patterns.ignores.map(() => 0);
  }

  async read(chunks: AsyncIterable<Buffer>): Promise<void> {
    const stream = new LineStream((batch) => this.#take(batch), newSourceStats());
    for await (const chunk of chunks) stream.push(chunk);
    stream.flush();
  }

  /** A line has one character per byte. Empty lines and comments do not count. */
  try(line: string): void {
    if (line === "" || line.startsWith("#")) return;
    const kind = this.#kindOf(line);
    this.counts[kind]++;
    if (this.lines[kind].length < this.#keep[kind]) this.lines[kind].push(decodeLine(line));
  }

  #take({ bytes, start, end }: LineBatch): void {
    for (let from = start; from < end;) {
      const next = bytes.indexOf(LF, from) + 1;
      this.try(lineText(bytes, from, next));
      from = next;
    }
  }

  #kindOf(line: string): LineKind {
    const { original, numbers, ignores, prefix } = this.#patterns;
    const { seen, isTimed } = original.cut(line);
    if (isTimed) this.dated++;
    if (prefix?.(seen) === true) this.prefixed++;
    const ignoredBy = ignores.findIndex((test) => test(seen));
    // With few of them fail2ban tests them first, else only on lines that a failregex matches.
    if (ignoredBy >= 0 && ignores.length < numbers.length - 2) return this.#ignored(ignoredBy);
    const explanation = original.explain(seen, this.#context);
    const isHit = explanation.kind === "failure" || explanation.kind === "noted";
    if (ignoredBy >= 0 && isHit) return this.#ignored(ignoredBy);
    if (!isHit) return "missed";
    const number = numbers[explanation.pattern] ?? 0;
    this.hits.set(number, (this.hits.get(number) ?? 0) + 1);
    // A line that only tells of its session.
    if (explanation.kind === "noted") return "ignored";
    this.#keepHost(number, hostName(explanation.match), line);
    return "matched";
  }

  #ignored(by: number): LineKind {
    this.ignoreHits[by] = (this.ignoreHits[by] ?? 0) + 1;
    return "ignored";
  }

  #keepHost(number: number, host: string, line: string): void {
    const known = this.hosts.get(number) ?? [];
    this.hosts.set(number, known);
    const { now, zone } = this.#context;
    if (known.length < MOST_HOSTS) known.push({ host, at: readTimestamp(line, now, zone) ?? now });
  }
}

/** As many as a person reads. */
const MOST_HOSTS = 10_000;

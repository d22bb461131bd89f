import { BoundedMap } from "../core/bounded-map.ts";
import { type Duration, HOUR, type Instant, MINUTE } from "../core/time.ts";
import { counted } from "../core/wording.ts";
import type { Loss } from "../match/loss.ts";
import { counter, declareMetrics } from "../core/metrics.ts";

/**
 * What the writer of a source's log says it dropped before we could see it. It informs and does nothing else, since whoever can
 * log can claim it: one sentence a minute, and a warning for an hour.
 */
export class Blindness {
  #lines = 0;
  #last: { readonly loss: Loss; readonly at: Instant } | null = null;
  /** Lines when it was last said, and when that was. */
  #said = { lines: 0, at: Number.NEGATIVE_INFINITY };
  #isNews = false;
  /** The last number of each that gives totals, the latest last. */
  readonly #totals = new BoundedMap<string, number>(MOST_TOTALS);

  /** Lines in all, as far as numbers were told. */
  get lines(): number {
    return this.#lines;
  }

  note(loss: Loss, now: Instant): void {
    const lines = loss.isTotal ? this.#sinceLast(loss) : loss.lines;
    if (loss.isTotal && lines === 0) return;
    this.#lines += lines;
    this.#last = { loss, at: now };
    this.#isNews = true;
  }

  /** To be asked every second: a sentence for the log when there is something new and the last one is a minute old, or null. */
  news(source: string, now: Instant): string | null {
    if (!this.#isNews || this.#last === null) return null;
    if (now >= this.#said.at && now - this.#said.at < MINUTE) return null;
    const sentence = sentenceOf(source, this.#last.loss, this.#lines - this.#said.lines);
    this.#said = { lines: this.#lines, at: now };
    this.#isNews = false;
    return sentence;
  }

  /** The same for the status, with all lines so far. */
  warning(source: string, now: Instant): string | null {
    if (this.#last === null || now - this.#last.at > LATELY) return null;
    return sentenceOf(source, this.#last.loss, this.#lines);
  }

  /** A total that is smaller than before is that of a writer that was started anew. */
  #sinceLast({ writer, of, lines }: Loss): number {
    const key = `${writer} ${of}`;
    const before = this.#totals.get(key) ?? 0;
    this.#totals.set(key, lines);
    return lines >= before ? lines - before : lines;
  }
}

/** Whoever can log can make up names. */
const MOST_TOTALS = 32;

const LATELY: Duration = HOUR;

function sentenceOf(source: string, { writer, of, cure }: Loss, lines: number): string {
  const what = lines === 0 ? "messages" : counted(lines, "message");
  const whose = of === "" ? "" : ` (last of ${of})`;
  return `Source ${source} is blind: ${writer} dropped ${what}${whose} before anybody could see them; ${cure}`;
}

declareMetrics(
  { at: "sources.*", label: "source" },
  { blind: counter("stoplog_lines_lost_upstream_total", "Lines that the log's writer says it dropped.") },
);

import { BoundedMap } from "../core/bounded-map.ts";
import { type Duration, HOUR, type Instant, MINUTE } from "../core/time.ts";
import { counted } from "../core/wording.ts";
import type { Loss } from "../match/loss.ts";
import { counter, declareMetrics } from "../core/metrics.ts";

/**
 * Lines that the program which writes a source's log reports as dropped: they never reach the source. Reports only, one sentence a minute
 * and a warning for an hour: a client that can write to the log can forge such a message.
 */
export class Blindness {
  #lines = 0;
  #last: { readonly loss: Loss; readonly at: Instant } | null = null;
  /** At the last sentence for the log. */
  #said = { lines: 0, at: Number.NEGATIVE_INFINITY };
  #isNews = false;
  /** The last total of each writer that reports totals; the latest is last. */
  readonly #totals = new BoundedMap<string, number>(MOST_TOTALS);

  /** Dropped lines, as far as messages give a number. */
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

  /** A sentence for the log when there is news and the last sentence is a minute old, or null. Called once a second. */
  news(source: string, now: Instant): string | null {
    if (!this.#isNews || this.#last === null) return null;
    if (now >= this.#said.at && now - this.#said.at < MINUTE) return null;
    const sentence = sentenceOf(source, this.#last.loss, this.#lines - this.#said.lines);
    this.#said = { lines: this.#lines, at: now };
    this.#isNews = false;
    return sentence;
  }

  /** A sentence for the status, with all lines so far, or null. */
  warning(source: string, now: Instant): string | null {
    if (this.#last === null || now - this.#last.at > LATELY) return null;
    return sentenceOf(source, this.#last.loss, this.#lines);
  }

  /** A total that is smaller than the last one comes from a restarted writer. */
  #sinceLast({ writer, of, lines }: Loss): number {
    const key = `${writer} ${of}`;
    const before = this.#totals.get(key) ?? 0;
    this.#totals.set(key, lines);
    return lines >= before ? lines - before : lines;
  }
}

/** Writers remembered: names can be forged. */
const MOST_TOTALS = 32;

const LATELY: Duration = HOUR;

function sentenceOf(source: string, { writer, of, cure }: Loss, lines: number): string {
  const what = lines === 0 ? "messages" : counted(lines, "message");
  const whose = of === "" ? "" : ` (last of ${of})`;
  return `Source ${source} is blind: ${writer} dropped ${what}${whose}; ${cure}`;
}

declareMetrics(
  { at: "sources.*", label: "source" },
  { blind: counter("stoplog_lines_lost_upstream_total", "Lines that the log's writer says it dropped.") },
);

import { type Duration, type Instant, SECOND } from "../core/time.ts";
import { bytesWords, counted, countWords } from "../core/wording.ts";

/** Input of a source that was left for later or dropped so far. */
export interface Losses {
  readonly name: string;
  /** Times the newest input went first. */
  readonly leaps: number;
  /** Bytes that wait now. */
  readonly laterBytes: number;
  /** Lines or packets dropped whole. */
  readonly shed: number;
  /** What `shed` counts; lines by default. */
  readonly unit?: "line" | "packet";
  /** Bytes never looked at. */
  readonly shedBytes: number;
}

/** Reports that a source dropped input or read it out of order: at most one sentence in ten seconds for each source, with sums. */
export class ShedLog {
  readonly #said = new Map<string, { readonly at: Instant; readonly losses: Losses }>();

  /** Called once a second; returns sentences to log. */
  tick(now: Instant, sources: readonly Losses[]): string[] {
    const names = new Set(sources.map(({ name }) => name));
    for (const name of this.#said.keys()) if (!names.has(name)) this.#said.delete(name);
    return sources.flatMap((losses) => {
      const last = this.#said.get(losses.name) ?? { at: Number.NEGATIVE_INFINITY, losses: NOTHING };
      if (now >= last.at && now - last.at < EVERY) return [];
      const sentence = sentenceOf(losses, last.losses);
      if (sentence === null) return [];
      this.#said.set(losses.name, { at: now, losses });
      return [sentence];
    });
  }
}

const EVERY: Duration = 10 * SECOND;
const NOTHING: Losses = { name: "", leaps: 0, laterBytes: 0, shed: 0, shedBytes: 0 };

function sentenceOf(losses: Losses, before: Losses): string | null {
  // A reload may have replaced the source: its counters start at 0.
  const since = (key: "leaps" | "shed" | "shedBytes"): number =>
    losses[key] < before[key] ? losses[key] : losses[key] - before[key];
  const gone = [
    ...(since("shed") > 0 ? [counted(since("shed"), losses.unit ?? "line")] : []),
    ...(since("shedBytes") > 0 ? [bytesWords(since("shedBytes"))] : []),
  ];
  const facts = [
    ...(since("leaps") > 0
      ? [
          `input arrives faster than it can be read: newest first (${countWords(since("leaps"))} times), ${bytesWords(losses.laterBytes)} left for later`,
        ]
      : []),
    ...(gone.length > 0 ? [`dropped ${gone.join(" and ")} unseen`] : []),
  ];
  return facts.length === 0 ? null : `Source ${losses.name}: ${facts.join("; ")}`;
}

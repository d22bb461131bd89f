import { type Duration, type Instant, SECOND } from "../core/time.ts";
import { bytesWords, counted, countWords } from "../core/wording.ts";

/** What of a source's input was left for later or given up since the start, in times, bytes and lines. */
export interface Losses {
  readonly name: string;
  /** How often the newest went first. */
  readonly leaps: number;
  /** Bytes that wait for their turn now. */
  readonly laterBytes: number;
  /** Lines dropped whole, or packets. */
  readonly shed: number;
  /** What they are; lines unless told. */
  readonly unit?: "line" | "packet";
  /** Bytes nobody looked at. */
  readonly shedBytes: number;
}

/** Says that a source could not read everything, or not in its order: for each source once in ten seconds at most, with sums. */
export class ShedLog {
  readonly #said = new Map<string, { readonly at: Instant; readonly losses: Losses }>();

  /** To be called once a second; answers what is to be said. */
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
  // A source that was made anew, by a reload, counts from nothing.
  const since = (key: "leaps" | "shed" | "shedBytes"): number =>
    losses[key] < before[key] ? losses[key] : losses[key] - before[key];
  const gone = [
    ...(since("shed") > 0 ? [counted(since("shed"), losses.unit ?? "line")] : []),
    ...(since("shedBytes") > 0 ? [bytesWords(since("shedBytes"))] : []),
  ];
  const facts = [
    ...(since("leaps") > 0
      ? [
          `more comes than can be read: ${countWords(since("leaps"))} times the newest went first, ${bytesWords(losses.laterBytes)} wait`,
        ]
      : []),
    ...(gone.length > 0 ? [`dropped ${gone.join(" and ")} unseen`] : []),
  ];
  return facts.length === 0 ? null : `Source ${losses.name}: ${facts.join("; ")}`;
}

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
  /** Long lines whose ends were cut off; their bytes are among `shedBytes`. */
  readonly cut: number;
  /** Bytes never looked at. */
  readonly shedBytes: number;
  /** Rotated files whose unread lines are lost. */
  readonly lostFiles: number;
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
const NOTHING: Losses = { name: "", leaps: 0, laterBytes: 0, shed: 0, cut: 0, shedBytes: 0, lostFiles: 0 };

function sentenceOf(losses: Losses, before: Losses): string | null {
  // A reload may have replaced the source: its counters start at 0.
  const since = (key: "leaps" | "shed" | "cut" | "shedBytes" | "lostFiles"): number =>
    losses[key] < before[key] ? losses[key] : losses[key] - before[key];
  const lost = lossOf(
    { shed: since("shed"), cut: since("cut"), shedBytes: since("shedBytes"), leaps: since("leaps") },
    losses.unit ?? "line",
  );
  const facts = [
    ...(since("leaps") > 0
      ? [
          `input arrives faster than it can be read: newest first (${countWords(since("leaps"))} times), ${bytesWords(losses.laterBytes)} left for later`,
        ]
      : []),
    ...(lost === null ? [] : [lost]),
    ...(since("lostFiles") > 0
      ? [`lost unread lines of ${counted(since("lostFiles"), "rotated file")}`]
      : []),
  ];
  return facts.length === 0 ? null : `Source ${losses.name}: ${facts.join("; ")}`;
}

/** What was lost, as a phrase: 'dropped 3 lines and 12 kB unseen', 'cut 2 long lines (1.7 kB unseen)'; null for nothing. */
export function lossOf(
  { shed, cut, shedBytes, leaps }: Pick<Losses, "shed" | "cut" | "shedBytes" | "leaps">,
  unit: "line" | "packet",
): string | null {
  const onlyCut = cut > 0 && shed === 0 && leaps === 0;
  if (onlyCut) return `cut ${counted(cut, "long line")} (${bytesWords(shedBytes)} unseen)`;
  const gone = [
    ...(shed > 0 ? [counted(shed, unit)] : []),
    ...(shedBytes > 0 ? [bytesWords(shedBytes)] : []),
  ];
  return gone.length === 0 ? null : `dropped ${gone.join(" and ")} unseen`;
}

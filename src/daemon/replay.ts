import { LF } from "../core/ascii.ts";
import { Book } from "../book/book.ts";
import { FeedReader } from "../book/feed-reader.ts";
import type { Config } from "../config/config.ts";
import { filterKey } from "../config/filter-key.ts";
import type { BanChange } from "../core/ban.ts";
import { LIMITS } from "../core/limits.ts";
import type { LineMatch } from "../core/line-match.ts";
import type { Instant } from "../core/time.ts";
import { Evidence } from "../jail/evidence.ts";
import { OwnAddresses } from "../jail/ignore.ts";
import { Offences } from "../jail/offences.ts";
import { Trusted } from "../jail/trusted.ts";
import { compileFilter } from "../match/filter/filter.ts";
import { cutsAt } from "../match/cut/cuts.ts";
import { createMatcher, type Matcher } from "../match/matcher.ts";
import { localZone, type TimeZone } from "../match/time/time-zone.ts";
import { LineStream } from "../source/line-splitter.ts";
import { newSourceStats } from "../source/source.ts";
import { buildJails } from "./build-jails.ts";
import { Judge } from "./judge.ts";
import type { RunningJail } from "./pipeline.ts";

/**
 * The bans that a configuration would have made from a log, by the log's own time. Every line goes to every jail, whatever its sources; the
 * time is that of the latest matched line so far. Changes nothing on the machine, and resolves no names.
 */
export class Replay {
  /** Matched lines without a readable time: they count at the time of the line before. */
  undated = 0;
  readonly #jails: readonly RunningJail[];
  readonly #matcher: Matcher;
  readonly #users: readonly (readonly RunningJail[])[];
  readonly #book: Book;
  readonly #judge: Judge;
  readonly #real: Instant;
  readonly #zone: TimeZone = localZone();
  readonly #stats = newSourceStats();
  #lines = 0;
  readonly #reader: FeedReader;
  #from: Instant | null = null;
  #now: Instant = Number.NEGATIVE_INFINITY;

  /** `real` is the present time: it gives the year to logs without one. */
  constructor(config: Config, real: Instant, onChange: (change: BanChange, at: Instant) => void) {
    this.#real = real;
    this.#book = new Book({ capacity: config.limits.bans, changes: LIMITS.feedChanges.value });
    this.#reader = new FeedReader(this.#book.feed, {
      changes: (changes) => {
        for (const change of changes.copies()) onChange(change, this.#now);
      },
      resync: () => undefined,
    });
    this.#judge = new Judge({ book: this.#book, evidence: new Evidence({ lines: 1, bans: 1 }) });
    const around = {
      own: new OwnAddresses(),
      trusted: new Trusted(LIMITS.trusted.value),
      offences: new Offences(LIMITS.offenders.value),
    };
    this.#jails = buildJails(config, [], around);
    const byFilter = new Map<string, RunningJail[]>();
    for (const running of this.#jails) {
      const { filter } = running.config;
      if (filter === null) continue;
      const key = filterKey(filter);
      byFilter.set(key, [...(byFilter.get(key) ?? []), running]);
    }
    this.#users = [...byFilter.values()];
    this.#matcher = createMatcher(
      this.#users.flatMap(([first]) =>
        first?.config.filter ? (compileFilter(first.config.filter).filter ?? []) : [],
      ),
    );
  }

  get jails(): readonly RunningJail[] {
    return this.#jails;
  }

  get lines(): number {
    return this.#lines;
  }

  /** Times of the first and the last matched line; null when no line has a time. */
  get span(): { readonly from: Instant; readonly to: Instant } | null {
    return this.#from === null ? null : { from: this.#from, to: this.#now };
  }

  /** Reads one log. Logs must come in the order of their times. */
  async read(chunks: AsyncIterable<Buffer>): Promise<void> {
    const context = { now: this.#real, zone: this.#zone, cuts: cutsAt() };
    const stream = new LineStream((batch) => {
      for (let at = batch.start; at < batch.end; at = batch.bytes.indexOf(LF, at) + 1) this.#lines++;
      this.#matcher.scan(batch, context, this.#onMatch);
    }, this.#stats);
    for await (const chunk of chunks) stream.push(chunk);
    stream.flush();
  }

  readonly #onMatch = (failure: LineMatch): void => {
    if (failure.at === null) this.undated++;
    else {
      this.#from ??= failure.at;
      this.#now = Math.max(this.#now, failure.at);
    }
    if (failure.address === null || this.#now === Number.NEGATIVE_INFINITY) return;
    this.#book.expire(this.#now, Number.POSITIVE_INFINITY);
    this.#judge.judge(this.#users[failure.filter] ?? [], failure, failure.address, this.#now);
    void this.#reader.readOnce();
  };
}

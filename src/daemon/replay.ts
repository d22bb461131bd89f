import { LF } from "../core/ascii.ts";
import { Book } from "../book/book.ts";
import { FeedReader } from "../book/feed-reader.ts";
import type { Config } from "../config/config.ts";
import { filterKey } from "../config/filter-key.ts";
import { type LineEnds, lineEndsOf } from "../config/line-ends.ts";
import type { BanChange } from "../core/ban.ts";
import { LIMITS } from "../core/limits.ts";
import type { LineMatch } from "../core/line-match.ts";
import type { Instant } from "../core/time.ts";
import { Evidence } from "../jail/evidence.ts";
import { OwnAddresses } from "../jail/ignore.ts";
import { Offences } from "../jail/offences.ts";
import { Trusted } from "../jail/trusted.ts";
import { type Transcoder, transcoderFor } from "../match/encoding/transcoder.ts";
import { compileFilter } from "../match/filter/filter.ts";
import { createMatcher, type Matcher } from "../match/matcher.ts";
import { OrderedZone } from "../match/time/ordered-zone.ts";
import { localZone, parseTimeZone, type TimeZone } from "../match/time/time-zone.ts";
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
  /** Matched lines without a readable time. They count at the time of the line before, or of the first line that has one. */
  undated = 0;
  /** Those of logs in which no matched line has a time: all of a log count at one moment, `end` of `read`. */
  undatedAtOnce = 0;
  readonly #jails: readonly RunningJail[];
  readonly #matcher: Matcher;
  readonly #users: readonly (readonly RunningJail[])[];
  readonly #book: Book;
  readonly #judge: Judge;
  readonly #real: Instant;
  readonly #zone: OrderedZone;
  readonly #ends: LineEnds;
  readonly #transcoder: Transcoder | null;
  readonly #stats = newSourceStats();
  #lines = 0;
  readonly #reader: FeedReader;
  #from: Instant | null = null;
  #to: Instant = Number.NEGATIVE_INFINITY;
  #now: Instant = Number.NEGATIVE_INFINITY;
  /** Undated matches at the beginning: they wait for the first time. */
  #waiting: LineMatch[] = [];

  /** `real` is the present time: it gives the year to logs without one. */
  constructor(config: Config, real: Instant, onChange: (change: BanChange, at: Instant) => void) {
    this.#real = real;
    this.#zone = new OrderedZone(zoneOf(config));
    this.#ends = lineEndsOf(config);
    this.#transcoder = transcoderFor(this.#ends.encoding, this.#ends.cuts);
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
    return this.#from === null ? null : { from: this.#from, to: this.#to };
  }

  /** Reads one log. Logs must come in the order of their times. Lines of a log without any time count at `end`, when it was last written. */
  async read(chunks: AsyncIterable<Buffer>, end: Instant): Promise<void> {
    const context = { now: this.#real, zone: this.#zone, cuts: this.#ends.cuts };
    const stream = new LineStream(
      (batch) => {
        for (let at = batch.start; at < batch.end; at = batch.bytes.indexOf(LF, at) + 1) this.#lines++;
        this.#matcher.scan(this.#transcoder?.of(batch) ?? batch, context, this.#onMatch);
        if (this.#waiting.length > MOST_WAITING) this.#judgeAtOnce(end);
      },
      this.#stats,
      this.#ends.maxLine,
    );
    for await (const chunk of chunks) stream.push(chunk);
    stream.flush();
    this.#judgeAtOnce(end);
  }

  readonly #onMatch = (failure: LineMatch): void => {
    if (failure.at === null) this.undated++;
    else {
      this.#from ??= failure.at;
      this.#goOn(failure.at);
      this.#to = this.#now;
    }
    if (this.#now === Number.NEGATIVE_INFINITY) this.#waiting.push(failure);
    else {
      this.#judgeWaiting();
      this.#judgeOne(failure);
    }
  };

  #judgeAtOnce(end: Instant): void {
    if (this.#waiting.length === 0) return;
    this.undatedAtOnce += this.#waiting.length;
    this.#goOn(end);
    this.#judgeWaiting();
  }

  #goOn(at: Instant): void {
    this.#now = Math.max(this.#now, at);
    this.#zone.latest = this.#now;
  }

  #judgeWaiting(): void {
    if (this.#waiting.length === 0) return;
    for (const failure of this.#waiting) this.#judgeOne(failure);
    this.#waiting = [];
  }

  #judgeOne(failure: LineMatch): void {
    if (failure.address === null) return;
    this.#book.expire(this.#now, Number.POSITIVE_INFINITY);
    this.#judge.judge(this.#users[failure.filter] ?? [], failure, failure.address, { now: this.#now });
    void this.#reader.readOnce();
  }
}

/** Undated matches at the beginning; with more, the log counts as one without times. */
const MOST_WAITING = 10_000;

/** The zone that all sources share, else that of this machine: a log is not bound to a source. */
function zoneOf({ sources }: Config): TimeZone {
  const [zone, ...others] = new Set([...sources.values()].map(({ timezone }) => timezone));
  return (zone === undefined || others.length > 0 ? null : parseTimeZone(zone)) ?? localZone();
}

import type { Book } from "../book/book.ts";
import type { Address } from "../core/address.ts";
import type { LineBatch, LineSink } from "../core/batch.ts";
import type { Clock } from "../core/clock.ts";
import type { LineMatch } from "../core/line-match.ts";
import { type Instant, SECOND } from "../core/time.ts";
import type { JailConfig } from "../config/config.ts";
import type { Evidence } from "../jail/evidence.ts";
import type { Jail } from "../jail/jail.ts";
import type { SharedCount } from "../jail/shared-count.ts";
import type { Cuts } from "../match/cut/cuts.ts";
import { lossOf } from "../match/loss.ts";
import type { Matcher } from "../match/matcher.ts";
import type { Transcoder } from "../match/encoding/transcoder.ts";
import type { TimeZone } from "../match/time/time-zone.ts";
import { Blindness } from "./blindness.ts";
import { Judge } from "./judge.ts";
import { LineMeter } from "./line-meter.ts";
import type { NameLookup } from "./name-lookup.ts";
import { BookedBans } from "./banned-hosts.ts";
import type { Refusals } from "./refusals.ts";
import { type CountsOf, declareMetrics, gauge } from "../core/metrics.ts";
import { MATCHER_METRICS } from "../match/scan.ts";

/** A jail of the running configuration. */
export interface RunningJail {
  readonly config: JailConfig;
  readonly jail: Jail;
  /** The counter that it shares with other jails; null when it has its own. */
  readonly shared: SharedCount | null;
  /** Targets of the last step. An address banned at one of them needs no further decision by this jail. */
  readonly lastTargets: readonly string[];
}

/** What to look for in the lines of one source, and for which jails. */
export interface Wiring {
  readonly matcher: Matcher;
  /** Jails by the index of their filter in the matcher. */
  readonly jails: readonly (readonly RunningJail[])[];
  /** Index of LOSS_FILTER in the matcher, if it is there. */
  readonly lossFilter?: number;
  readonly zone: TimeZone;
  /** Makes UTF-8 of its lines; none for UTF-8. */
  readonly transcoder?: Transcoder | null;
  /** Which of its lines lack their end; none without it. */
  readonly cuts?: Cuts;
}

export interface PipelineParts {
  readonly book: Book;
  readonly evidence: Evidence;
  readonly names: NameLookup;
  readonly clock: Clock;
  /** None where nothing is enforced. */
  readonly refused?: Refusals;
  /** Takes the address of a failure that came although it is banned at these targets. */
  readonly seenBanned?: SeenBanned;
  /** Takes the address of a good line of a jail that unbans for it. */
  readonly forgiven?: (address: Address) => void;
}

export type SeenBanned = (address: Address, targets: readonly string[]) => void;

/** What the flow of lines adds to the status of its source. */
export type FlowFigures = CountsOf<typeof MATCHER_METRICS> & {
  /** In seconds. */
  readonly lag: number | null;
  readonly blind: number;
};

/** For the flows of packets and orders, which have no matcher. */
export const NO_FIGURES: FlowFigures = { lag: null, blind: 0, ...MATCHER_METRICS.zero() };

/**
 * The flow of one source, from its bytes to the book:
 *
 *      batch ─► matcher ─► failure ─► jail.decide ─► book.ban        (readers of the book's feed do the rest)
 *                    │         └─ good ─► jail.forgive ─► book.lift
 *                    └─► the log's writer reports dropped lines ─► blindness
 */
export class Flow {
  readonly meter = new LineMeter();
  readonly blindness = new Blindness();
  readonly #parts: PipelineParts;
  readonly #banned: BookedBans;
  readonly #judge: Judge;
  #wiring: Wiring;
  #now: Instant = 0;
  #backlog = false;
  #lag: number | null = null;

  constructor(wiring: Wiring, parts: PipelineParts) {
    this.#wiring = wiring;
    this.#parts = parts;
    this.#banned = new BookedBans(parts);
    this.#judge = new Judge(parts);
  }

  /** Milliseconds between the time of the last dated failure and its reading, except in old input; null before the first. */
  get lag(): number | null {
    return this.#lag;
  }

  get wiring(): Wiring {
    return this.#wiring;
  }

  /** For the status of its source. */
  figures(): FlowFigures {
    const lag = this.#lag === null ? null : this.#lag / SECOND;
    return { lag, blind: this.blindness.lines, ...MATCHER_METRICS.of(this.#wiring.matcher.stats) };
  }

  /** Takes effect with the next batch. */
  rewire(wiring: Wiring): void {
    this.#wiring = wiring;
  }

  readonly sink: LineSink = (batch: LineBatch): void => {
    this.#now = this.#parts.clock.now();
    this.#backlog = batch.backlog;
    this.meter.count(batch);
    const { matcher, jails, zone, cuts, lossFilter, transcoder } = this.#wiring;
    this.#banned.begin(jails, this.#now, batch.backlog ? null : this.#lag);
    const capturing = lossFilter ?? NONE;
    const context = { now: this.#now, zone, banned: this.#banned, capturing, ...(cuts && { cuts }) };
    matcher.scan(transcoder?.of(batch) ?? batch, context, this.#onMatch);
  };

  readonly #onMatch = (failure: LineMatch): void => {
    if (failure.filter === this.#wiring.lossFilter) {
      this.blindness.note(lossOf(failure), this.#now);
      return;
    }
    if (failure.at !== null && !this.#backlog) this.#lag = Math.max(0, this.#now - failure.at);
    const jails = this.#wiring.jails[failure.filter] ?? [];
    if (failure.address !== null) {
      this.#judge.judge(jails, failure, failure.address, { now: this.#now, isBacklog: this.#backlog });
      return;
    }
    const asking = jails.filter(({ config }) => config.usedns);
    if (asking.length === 0) return;
    const isBacklog = this.#backlog;
    this.#parts.names.find(failure.host, this.#now, (address) => {
      this.#judge.judge(asking, failure, address, { now: this.#parts.clock.now(), isBacklog });
    });
  };
}

/** An index that no filter has. */
const NONE = -1;

declareMetrics(
  { at: "sources.*", label: "source" },
  { lag: gauge("stoplog_source_lag_seconds", "Between the time of the last dated match and its reading.") },
);

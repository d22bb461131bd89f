import type { good } from "./read-config-text.ts";
import { Book } from "../../src/book/book.ts";
import { type Address, address, formatAddress, V4_MARK } from "../../src/core/address.ts";
import type { Ban } from "../../src/core/ban.ts";
import type { ManualClock } from "../../src/core/clock.ts";
import type { LineMatch } from "../../src/core/line-match.ts";
import { hostPrefix, parsePrefix, type Prefix } from "../../src/core/prefix.ts";
import type { Duration, Instant } from "../../src/core/time.ts";
import { Allows } from "../../src/jail/allows.ts";
import { Evidence } from "../../src/jail/evidence.ts";
import { OwnAddresses } from "../../src/jail/ignore.ts";
import type { Log } from "../../src/observe/log.ts";
import { BanFile } from "../../src/daemon/ban-file.ts";
import { Jails } from "../../src/daemon/jails.ts";
import { Judge } from "../../src/daemon/judge.ts";
import type { RunningJail } from "../../src/daemon/pipeline.ts";
import { ProgressFile } from "../../src/daemon/progress-file.ts";
import type { Targets } from "../../src/daemon/targets.ts";

export const ADDRESSES = 5;
export const host = (n: number): Address => address(0, 0, V4_MARK, 0xc0000200 + n);

/** A failure that was written to a log. */
interface Line {
  readonly host: number;
  readonly at: Instant;
}

/** A log that grows, and how much of it was read: all before `next` but the gap. */
export class ModelLog {
  readonly lines: Line[] = [];
  next = 0;
  gap: readonly [number, number] = [0, 0];

  position(): Record<string, unknown> {
    return { next: this.next, gap: this.gap };
  }

  resume({ next, gap }: { readonly next: number; readonly gap: readonly [number, number] }): void {
    this.next = next;
    this.gap = gap;
  }

  /** The next lines in order; those of the gap once nothing newer is unread. */
  take(most: number): readonly Line[] {
    const newer = this.lines.slice(this.next, this.next + most);
    this.next += newer.length;
    if (newer.length > 0) return newer;
    const [from, to] = this.gap;
    const upTo = Math.min(to, from + most);
    this.gap = [upTo, to];
    return this.lines.slice(from, upTo);
  }

  /** Skips to the newest lines, unless a gap is left. */
  leap(): void {
    const [from, to] = this.gap;
    const target = this.lines.length - 1;
    if (from < to || target <= this.next) return;
    this.gap = [this.next, target];
    this.next = target;
  }
}

/** The parts of a daemon that this is about, from one start to its kill. */
export class Life {
  readonly book = new Book({ capacity: 1000, changes: 1000 });
  readonly jails: Jails;
  readonly bans: BanFile;
  readonly allows: Allows;
  readonly progress: ProgressFile;
  readonly #judge: Judge;
  readonly #logs: readonly ModelLog[];
  readonly #clock: ManualClock;
  /** Addresses and jails of new bans: each is a notification. */
  readonly announced: string[] = [];
  #reads = false;

  constructor(directory: string, logs: readonly ModelLog[], clock: ManualClock) {
    const { book } = this;
    this.#logs = logs;
    this.#clock = clock;
    const log = { info: () => undefined, warn: () => undefined } as unknown as Log;
    const targets = {
      needsUnban: false,
      resync: async () => undefined,
      leftOver: async () => [],
    } as unknown as Targets;
    const warn = (): void => undefined;
    this.jails = new Jails({
      book,
      exempt: { own: new OwnAddresses() },
      offloaded: () => ({ kernel: false, capped: 0 }) as never,
    });
    this.allows = new Allows(this.jails.trusted, 10, (note) => this.bans.note(note));
    this.bans = new BanFile(directory, { book, targets, allows: () => this.allows, clock, log, warn });
    const sources = {
      noteNew: async () => false,
      positions: () => Object.fromEntries(logs.map((one, i) => [`log${i}`, one.position()])),
      resumeAt: (positions: Readonly<Record<string, unknown>>) => {
        for (const [i, one] of logs.entries()) one.resume(positions[`log${i}`] as never);
      },
    };
    this.progress = new ProgressFile(directory, {
      jails: this.jails,
      sources,
      bans: this.bans,
      clock,
      warn,
      isWaiting: () => false,
    });
    this.#judge = new Judge({ book, evidence: new Evidence({ lines: 1, bans: 1 }) });
  }

  async start(config: ReturnType<typeof good>): Promise<void> {
    for (const log of this.#logs) log.resume({ next: 0, gap: [0, 0] });
    await this.bans.follow();
    const settings = { config, filters: new Map() };
    this.jails.follow(settings);
    await this.progress.follow(settings);
    this.#reads = true;
  }

  read(log: ModelLog, most: number): void {
    if (!this.#reads) return;
    const lines = log.take(most);
    for (const { host: n, at } of lines) {
      const now = this.#clock.now();
      this.book.expire(now, 100);
      const cursor = this.book.feed.last;
      this.#judge.judge(this.jails.all, failure(n, at), host(n), { now });
      const { kind, ...rest } = this.book.feed.since(cursor);
      if (kind === "resync" || !("changes" in rest)) throw new Error("the feed is too small");
      for (const change of rest.changes) if (change.kind === "ban") this.announced.push(keyOf(change.ban));
    }
  }

  /** As the operator's order does. */
  unban(n: number): void {
    const now = this.#clock.now();
    this.book.expire(now, 100);
    const isBanned = this.book.of(hostPrefix(host(n))).length > 0;
    for (const { jail } of this.jails.all) jail.forget(host(n));
    if (isBanned) this.book.unban(hostPrefix(host(n)), "operator");
    else this.allows.reset(hostPrefix(host(n)), now);
  }

  /** Of addresses that never fail: lines that are read again count for those that are not trusted at that time. */
  allow(n: number, time: Duration): void {
    const now = this.#clock.now();
    this.allows.allow({ prefix: spared(n), since: now, until: now + time, origin: "operator" });
  }

  unallow(n: number): void {
    this.allows.unallow(spared(n), this.#clock.now());
  }

  allowed(): unknown {
    const now = this.#clock.now();
    const { trusted } = this.jails;
    const isTrusted = Array.from({ length: ADDRESSES }, (_, n) => trusted.has(spared(n).address, now));
    return { orders: [...this.allows.active(now)], isTrusted };
  }

  /** When each ban ends, by jail and address. */
  ends(): ReadonlyMap<string, Instant> {
    return new Map(
      [...this.book.bans()].map(({ prefix, jail, until }) => [
        `${jail} ${formatAddress(prefix.address)}`,
        until,
      ]),
    );
  }

  state(bans: boolean): unknown {
    const now = this.#clock.now();
    const hosts = Array.from({ length: ADDRESSES }, (_, n) => n);
    const of = ({ jail }: RunningJail): unknown =>
      hosts.map((n) => [jail.seen(host(n), now), jail.offences.before(host(n), now)]);
    return {
      counts: Object.fromEntries(this.jails.all.map((running) => [running.config.name, of(running)])),
      bans: bans
        ? [...this.book.bans()]
            .map(({ prefix, jail }) => `${jail} ${formatAddress(prefix.address)}`)
            .toSorted()
        : [],
    };
  }
}

/** Networks, and one address. */
function spared(n: number): Prefix {
  return parsePrefix(n === 0 ? "203.0.113.1" : `203.0.113.0/${32 - n}`) as Prefix;
}

function failure(n: number, at: Instant): LineMatch {
  const text = formatAddress(host(n));
  return {
    kind: "failure",
    filter: 0,
    pattern: 0,
    host: text,
    address: host(n),
    at,
    count: 1,
    line: text,
    captures: {},
  };
}

export function keyOf({ target, prefix }: Pick<Ban, "target" | "prefix">): string {
  return `${target} ${formatAddress(prefix.address)}`;
}

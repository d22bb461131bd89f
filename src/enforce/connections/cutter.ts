import { setImmediate as nextTurn } from "node:timers/promises";
import { cannot, factOf } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Prefix } from "../../core/prefix.ts";
import type { Instant } from "../../core/time.ts";
import { nativeFault } from "../../kernel/native/libc.ts";
import { EPERM } from "../../kernel/native/system-error.ts";
import { factOfAnswer } from "../../kernel/netlink/errors.ts";
import { type NetlinkOptions, type NetlinkSocket, openNetlink } from "../../kernel/netlink/socket.ts";
import { ConntrackTable } from "./conntrack.ts";
import type { Cut, Cuttable, Link } from "./cuttable.ts";
import { liveSockets } from "./sockets.ts";
import { Waiting } from "./waiting.ts";
import { counter, type CountsOf, declareMetrics, gauge, type NumberMetric } from "../../core/metrics.ts";

const cut = (kind: string): NumberMetric =>
  counter("stoplog_connections_cut_total", "Connections of banned addresses that were cut.", { kind });

export const CUTTER_METRICS = declareMetrics(
  { at: "connections" },
  {
    passes: counter(
      "stoplog_connection_passes_total",
      "Times the kernel's lists of connections were searched.",
    ),
    entries: cut("conntrack"),
    sockets: cut("socket"),
    refused: counter("stoplog_connections_refused_total", "Connections that the kernel did not cut."),
    waiting: gauge("stoplog_connections_waiting_prefixes", "Prefixes whose connections wait to be cut."),
    dropped: counter(
      "stoplog_connections_dropped_prefixes_total",
      "Prefixes whose connections were not cut: too many waited, or this machine has no way to cut them.",
    ),
  },
);

export type CutterStats = CountsOf<typeof CUTTER_METRICS> & {
  /** The state, as a phrase. */
  state: string;
  /** As in the wire format: what the last pass could not cut, or what can never be cut here. */
  lastTrouble: string | null;
};

export interface CutterDeps {
  readonly warn: (sentence: string) => void;
  readonly now: () => Instant;
  /** For tests. */
  readonly open?: (options: NetlinkOptions) => NetlinkSocket;
}

/**
 * Cuts the live connections of banned prefixes: the sockets of this host, and the connections that netfilter tracks for it and for hosts
 * behind it. Call `cut` after the ban is enforced, or the connections come back.
 *
 *      cut ─► waiting ─ 10 ms ─► pass: sockets, then conntrack entries, each list once for all that wait ─ rest ─► …
 *
 * Sockets go first: a packet from a live socket would create its conntrack entry again. A pass costs time in proportion to the lists.
 * After one the cutter rests for four times as long as it took, at most five seconds: in a flood of bans cutting takes a fifth of the
 * time.
 */
export class ConnectionCutter {
  readonly stats: CutterStats = { state: "ready", ...CUTTER_METRICS.zero(), lastTrouble: null };
  readonly #deps: CutterDeps;
  readonly #waiting = new Waiting(LIMITS.cutPrefixes.value);
  readonly #links = new Map<number, Link>();
  /** The kinds that this machine can cut. */
  #kinds: readonly Cuttable[] = [...liveSockets(), new ConntrackTable()];
  #overflowed = false;
  /** What this machine cannot cut at all. */
  #lacking: string | null = null;
  #restUntil: Instant = 0;
  #timer: NodeJS.Timeout | null = null;
  #running = false;
  #closed = false;
  #onFinished: (() => void)[] = [];

  constructor(deps: CutterDeps) {
    this.#deps = deps;
  }

  /** Queues a prefix for the next pass. Does not throw, and does not open anything. */
  cut(prefix: Prefix): void {
    if (this.#closed) return;
    if (this.#kinds.length === 0) {
      this.stats.dropped++;
      return;
    }
    if (this.#waiting.add(prefix)) this.#overflow();
    this.stats.waiting = this.#waiting.size;
    this.#schedule();
  }

  /** Resolves when every queued prefix was handled, or the cutter was closed. */
  finished(): Promise<void> {
    if (this.#idle()) return Promise.resolve();
    return new Promise((resolve) => this.#onFinished.push(resolve));
  }

  /** Drops what is queued; a running pass ends at its next turn of the event loop. */
  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.#running) this.#finish();
  }

  #idle(): boolean {
    return !this.#running && this.#timer === null;
  }

  #overflow(): void {
    this.stats.dropped++;
    if (this.#overflowed) return;
    this.#overflowed = true;
    this.#trouble(
      `Cannot cut the connections of every banned prefix: ${LIMITS.cutPrefixes.value} prefixes are waiting, and the oldest are dropped`,
    );
  }

  #schedule(): void {
    if (!this.#idle() || this.#closed) return;
    // A clock that was set back must not prolong the rest.
    const rest = Math.min(this.#restUntil - this.#deps.now(), LONGEST_REST);
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#running = true;
        void this.#pass().finally(() => {
          this.#running = false;
          this.#finish();
        });
      },
      Math.max(rest, GATHER),
    );
  }

  /** After a pass, or when closed. */
  #finish(): void {
    if (this.#closed) for (const protocol of this.#links.keys()) this.#hangUp(protocol);
    else if (this.#waiting.size > 0) return this.#schedule();
    for (const resolve of this.#onFinished.splice(0)) resolve();
  }

  async #pass(): Promise<void> {
    const started = this.#deps.now();
    const banned = this.#waiting.take();
    this.stats.waiting = 0;
    this.#overflowed = false;
    this.stats.lastTrouble = this.#lacking;
    const fault = this.#deps.open === undefined ? nativeFault() : null;
    if (fault !== null) this.#giveUp(fault.replace(/^C/, "c"));
    for (const kind of this.#kinds) {
      if (this.#closed || !this.#kinds.includes(kind)) continue;
      try {
        this.#note(kind, await kind.cut(banned, this.#link(kind.protocol), () => this.#closed));
      } catch (thrown) {
        this.#hangUp(kind.protocol);
        this.#trouble(factOf(thrown));
      }
      await nextTurn();
    }
    if (this.#closed) return;
    this.stats.passes++;
    if (this.#kinds.length === 0) this.stats.dropped += banned.size + this.#waiting.take().size;
    const ended = this.#deps.now();
    this.#restUntil = ended + REST * Math.max(0, ended - started);
  }

  #note(kind: Cuttable, { cut, refused, trouble }: Cut): void {
    this.stats[kind.noun === "conntrack entries" ? "entries" : "sockets"] += cut;
    this.stats.refused += refused;
    if (trouble === null) return;
    const { doing, answer } = trouble;
    if (answer.errno === EPERM) return this.#giveUp("the capability CAP_NET_ADMIN is missing");
    const lack = cut > 0 ? null : kind.lack(doing, answer.errno);
    const sentence = cannot(`${doing} ${kind.noun}`, lack ?? factOfAnswer(answer)).message;
    if (lack !== null) this.#without(kind.noun, sentence);
    this.#trouble(sentence);
  }

  /** Continues without this kind, and does not try it again. */
  #without(noun: Cuttable["noun"], sentence: string): void {
    this.#lacking = sentence;
    this.#kinds = this.#kinds.filter((kind) => kind.noun !== noun);
    const left = [...new Set(this.#kinds.map((kind) => kind.noun))];
    this.stats.state = left.length === 0 ? "not possible here" : `ready for ${left.join(" and ")} alone`;
  }

  #giveUp(fact: string): void {
    this.#kinds = [];
    this.stats.state = "not possible here";
    this.#lacking = cannot("cut connections", fact).message;
    this.#trouble(this.#lacking);
  }

  #link(protocol: number): Link {
    const open = this.#deps.open ?? openNetlink;
    let link = this.#links.get(protocol);
    if (link === undefined) {
      const list = open({ protocol });
      try {
        link = { list, deletions: open({ protocol }) };
      } catch (thrown) {
        list.closeAside();
        throw thrown;
      }
      this.#links.set(protocol, link);
    }
    return link;
  }

  #hangUp(protocol: number): void {
    const link = this.#links.get(protocol);
    this.#links.delete(protocol);
    link?.list.closeAside();
    link?.deletions.closeAside();
  }

  #trouble(sentence: string): void {
    this.stats.lastTrouble = sentence;
    this.#deps.warn(sentence);
  }
}

/** Milliseconds that a pass waits for more prefixes after the first. */
const GATHER = 10;
/** The rest, as a multiple of the last pass. */
const REST = 4;
const LONGEST_REST = 5000;

import { setImmediate as nextTurn } from "node:timers/promises";
import type { Publisher } from "zeromq";
import type { Book } from "../../book/book.ts";
import type { Unnumbered } from "../../book/feed.ts";
import { FeedReader } from "../../book/feed-reader.ts";
import type { Ban, BanChange } from "../../core/ban.ts";
import { type Pauses, tryUntilDone } from "../../core/back-off.ts";
import { cannot, factOf } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { sleep } from "../../core/sleep.ts";
import { SECOND } from "../../core/time.ts";
import { type BusOptions, type BusSocket, openBus } from "../zmq/bus-socket.ts";
import { Peers } from "../zmq/peers.ts";
import { changeMessage, type Place, resyncMessage, swabberMessage } from "./ban-message.ts";
import { counter, type CountsOf, declareMetrics } from "../../core/metrics.ts";

export interface PublisherOptions extends BusOptions {
  readonly type: "zmq";
  readonly name: string;
  /** The topic of messages in JSON; null for none. */
  readonly topic: string | null;
  /** Whether to publish in Swabber's format. */
  readonly swabber: boolean;
  /** Publishes only bans of these; null for all. */
  readonly origins: readonly string[] | null;
  readonly jails: readonly string[] | null;
  /** Whether to publish bans that were received over ØMQ. */
  readonly echo: boolean;
}

export interface PublisherDeps {
  readonly book: Book;
  /** Distinguishes this process from earlier ones. */
  readonly epoch: number;
  /** Log a sentence, or a warning. */
  readonly say: (sentence: string) => void;
  readonly warn: (sentence: string) => void;
}

export const PUBLISHER_METRICS = declareMetrics(
  { at: "publishers.*", label: "publisher" },
  {
    published: counter("stoplog_publisher_changes_total", "Changes of bans that were published."),
    left: counter(
      "stoplog_publisher_left_out_total",
      "Changes not published: of other origins or jails than chosen, or received over ØMQ.",
    ),
    unsayable: counter(
      "stoplog_publisher_unsayable_total",
      "Published changes that Swabber's format cannot express.",
    ),
    missed: counter(
      "stoplog_publisher_missed_messages_total",
      "Messages that at least one subscriber missed because its queue was full.",
    ),
    resyncs: counter("stoplog_publisher_resyncs_total", "Times it fell behind and published all bans again."),
  },
);

declareMetrics(
  { at: "publishers.*", label: "publisher" },
  {
    turnedAway: counter(
      "stoplog_publisher_peers_refused_total",
      "Peers whose handshake failed: a wrong key.",
    ),
  },
);

export type PublisherStats = CountsOf<typeof PUBLISHER_METRICS>;

/**
 * Publishes bans to subscribers: a reader of the book's feed, from the next change on.
 *
 *      feed ─► chosen? ─► Swabber's format, JSON ─► PUB
 */
export class ZmqPublisher {
  readonly kind = "zmq";
  readonly options: PublisherOptions;
  readonly stats: PublisherStats = PUBLISHER_METRICS.zero();
  readonly #deps: PublisherDeps;
  readonly #peers: Peers;
  /** Origins whose bans are received over ØMQ. */
  #fromBus: ReadonlySet<string> = new Set();
  #bus: readonly BusSocket<Publisher>[] = [];
  #seq = 0;
  #trouble: string | null = null;
  readonly #closed = new AbortController();
  readonly #reader: FeedReader;

  constructor(options: PublisherOptions, deps: PublisherDeps) {
    this.options = options;
    this.#deps = deps;
    this.#peers = new Peers(`Publisher ${options.name}`, deps.say);
    this.#reader = new FeedReader(deps.book.feed, {
      atOnce: AT_ONCE,
      changes: async (changes) => {
        for (const change of changes.copies()) await this.#publish(change);
      },
      resync: () => this.#publishAll(),
      failed: (thrown) => deps.warn(`Cannot publish to ${options.name}: ${factOf(thrown)}`),
    });
  }

  get state(): string {
    return this.#trouble ?? (this.#bus.length === 0 ? "not open" : this.#peers.state);
  }

  get trouble(): string | null {
    return this.#trouble;
  }

  get turnedAway(): number {
    return this.#peers.turnedAway;
  }

  /** Sets the origins whose bans are received over ØMQ and not sent back. */
  leaveOut(fromBus: Iterable<string>): void {
    this.#fromBus = new Set(fromBus);
  }

  /** Opens the sockets. Resolves after the first attempt. If that fails, others follow, and bans continue without it. */
  open(): Promise<void> {
    return new Promise((resolve) => {
      const failed = (thrown: unknown): void => {
        this.#hindered(thrown);
        resolve();
      };
      const { signal } = this.#closed;
      void tryUntilDone(() => this.#open(), { pauses: AGAIN, signal, failed }).then(() => resolve());
    });
  }

  async #open(): Promise<void> {
    const bus = await openBus(
      this.options,
      (zmq, settings) => {
        const publisher = new zmq.Publisher({
          ...settings,
          sendHighWaterMark: LIMITS.busFrames.value,
          sendTimeout: 0,
        });
        // Otherwise libzmq drops messages without a word.
        publisher.noDrop = true;
        return publisher;
      },
      () => undefined,
      this.#peers,
    );
    if (this.#closed.signal.aborted) return closeAll(bus);
    this.#bus = bus;
    this.#trouble = null;
    this.#reader.listen();
  }

  #hindered(thrown: unknown): void {
    const sentence = cannot(`publish to ${this.options.name}`, thrown).message;
    if (sentence !== this.#trouble) this.#deps.warn(sentence);
    this.#trouble = sentence;
  }

  /** Publishes the last changes, and closes. */
  async close(): Promise<void> {
    this.#closed.abort();
    if (this.#bus.length > 0) await this.#reader.read();
    await this.#reader.close();
    // Gives libzmq's own thread a moment to send its queue.
    if (this.#bus.length > 0) await sleep(PARTING);
    closeAll(this.#bus);
    this.#bus = [];
  }

  async #publish(change: Unnumbered<BanChange>): Promise<void> {
    if (!isChosen(change.ban, this.options, this.#fromBus)) {
      this.stats.left++;
      return;
    }
    this.stats.published++;
    const { swabber, topic } = this.options;
    const forSwabber = swabber ? swabberMessage(change) : null;
    if (forSwabber !== null) await this.#send(forSwabber);
    else if (swabber) this.stats.unsayable++;
    if (topic !== null) await this.#send([topic, changeMessage(change, this.#nextPlace())]);
  }

  /** After a resync: too many changes to publish them one by one. */
  async #publishAll(): Promise<void> {
    this.stats.resyncs++;
    this.#deps.warn(`Publisher ${this.options.name} fell behind and publishes all bans again`);
    const { topic } = this.options;
    if (topic !== null) await this.#send([topic, resyncMessage(this.#nextPlace())]);
    let told = 0;
    for (const ban of this.#deps.book.bans()) {
      await this.#publish({ kind: "ban", ban });
      if (++told % AT_ONCE === 0) await nextTurn();
    }
  }

  #nextPlace(): Place {
    return { seq: ++this.#seq, epoch: this.#deps.epoch };
  }

  async #send(message: readonly string[]): Promise<void> {
    for (const { socket } of this.#bus) {
      try {
        await socket.send([...message]);
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code === "EAGAIN") await this.#sendToTheRest(socket, message);
        else this.#deps.warn(`Cannot publish to ${this.options.name}: ${factOf(thrown)}`);
      }
    }
  }

  /** The queue of a subscriber is full: the others still get the message. */
  async #sendToTheRest(socket: Publisher, message: readonly string[]): Promise<void> {
    if (this.stats.missed++ === 0)
      this.#deps.warn(`A subscriber of publisher ${this.options.name} is too slow and misses bans`);
    setNoDrop(socket, false);
    try {
      await socket.send([...message]);
    } finally {
      setNoDrop(socket, true);
    }
  }
}

/** Changes in one call: about a millisecond. */
const AT_ONCE = 256;
const AGAIN: Pauses = { first: 10 * SECOND, longest: 10 * SECOND };
const PARTING = 50;

function isChosen(
  { origin, jail }: Ban,
  { origins, jails, echo }: PublisherOptions,
  fromBus: ReadonlySet<string>,
): boolean {
  if (!echo && fromBus.has(origin)) return false;
  return (origins === null || origins.includes(origin)) && (jails === null || jails.includes(jail));
}

/** Takes effect at once, contrary to zeromq's warning, which is suppressed. */
function setNoDrop(socket: Publisher, value: boolean): void {
  const warning = Object.getOwnPropertyDescriptor(process, "emitWarning");
  process.emitWarning = () => undefined;
  try {
    socket.noDrop = value;
  } finally {
    if (warning !== undefined) Object.defineProperty(process, "emitWarning", warning);
  }
}

function closeAll(bus: readonly BusSocket<Publisher>[]): void {
  for (const one of bus) one.close();
}

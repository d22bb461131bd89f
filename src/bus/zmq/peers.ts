import { systemClock } from "../../core/clock.ts";
import type { Event, Publisher, Subscriber } from "zeromq";
import { type Duration, type Instant, SECOND } from "../../core/time.ts";

/** The peers of a socket, from the events of libzmq: a phrase for the status, and sentences for the log. */
export class Peers {
  readonly #name: string;
  readonly #say: (sentence: string) => void;
  readonly #now: () => Instant;
  readonly #ends: End[] = [];
  #turnedAway = 0;

  /** `name` begins the sentences: 'Source orders'. */
  constructor(name: string, say: (sentence: string) => void, now: () => Instant = systemClock.now) {
    this.#name = name;
    this.#say = say;
    this.#now = now;
  }

  /** Peers whose handshake failed, with a wrong key or another protocol, and peers that violated the protocol later. */
  get turnedAway(): number {
    return this.#turnedAway;
  }

  /** `connected to tcp://a:1; waits for tcp://b:2; listens on tcp://*:3 (2 connected)`. */
  get state(): string {
    const connecting = this.#ends.filter(({ way }) => way === "connect");
    const up = connecting.filter(({ peers }) => peers > 0).map(({ endpoint }) => endpoint);
    const down = connecting.filter(({ peers }) => peers === 0).map(({ endpoint }) => endpoint);
    return [
      ...(up.length > 0 ? [`connected to ${up.join(", ")}`] : []),
      ...(down.length > 0 ? [`waits for ${down.join(", ")}`] : []),
      ...this.#ends
        .filter(({ way }) => way === "bind")
        .map(({ endpoint, peers }) => `listens on ${endpoint} (${peers} connected)`),
    ].join("; ");
  }

  /** Endpoints that have been disconnected for some seconds, as a phrase; null when there are none. */
  trouble(now: Instant): string | null {
    const down = this.#ends.filter(
      ({ way, peers, downSince }) => way === "connect" && peers === 0 && now - downSince >= SETTLED,
    );
    return down.length === 0 ? null : `not connected to ${down.map(({ endpoint }) => endpoint).join(", ")}`;
  }

  /** Follows the events of a socket, and reconnects it where libzmq gives up. To be called before it binds or connects. */
  watch(socket: Subscriber | Publisher, way: Way, endpoint: string): void {
    const end = this.add(way, endpoint);
    void this.#follow(socket, end);
  }

  /** Adds an endpoint, whose events `take` gets. */
  add(way: Way, endpoint: string): End {
    const end: End = { way, endpoint, peers: 0, downSince: this.#now(), said: new Map(), isGivenUp: false };
    this.#ends.push(end);
    return end;
  }

  /** Takes an event of an endpoint. */
  take({ type }: Pick<Event, "type">, end: End): void {
    const { way, endpoint } = end;
    end.isGivenUp = type === "disconnect" && way === "connect";
    switch (type) {
      case "connect":
        end.peers = 1;
        return this.#tell(end, type, `${this.#name} is connected to ${endpoint}`);
      case "accept":
        end.peers++;
        return;
      case "disconnect":
        end.peers = Math.max(0, end.peers - 1);
        end.downSince = this.#now();
        if (way === "connect")
          this.#tell(end, type, `${this.#name} lost the connection to ${endpoint} and reconnects`);
        return;
      case "handshake:error:auth":
      case "handshake:error:protocol":
      case "handshake:error:other":
        this.#turnedAway++;
        return this.#tell(
          end,
          type,
          `${this.#name} and a peer at ${endpoint} cannot communicate: ${REASONS[type]}`,
        );
      default:
        return;
    }
  }

  async #follow(socket: Subscriber | Publisher, end: End): Promise<void> {
    const { events } = socket;
    try {
      for (;;) {
        this.take(await events.receive(), end);
        if (end.isGivenUp) setTimeout(() => this.#joinAnew(socket, end), REJOIN).unref();
      }
    } catch {
      // The socket was closed.
    }
  }

  /**
   * libzmq reconnects after a lost connection, but not after a peer violated the protocol, for instance with a frame that is too long. No event
   * has arrived since the connection was lost, so that is what happened.
   */
  #joinAnew(socket: Subscriber | Publisher, end: End): void {
    if (!end.isGivenUp || socket.closed) return;
    end.isGivenUp = false;
    this.#turnedAway++;
    try {
      socket.disconnect(end.endpoint);
    } catch {
      // Already disconnected.
    }
    socket.connect(end.endpoint);
  }

  /** Limits the log: peers may connect and disconnect at any rate. Each kind of event of an endpoint is logged once in a while. */
  #tell(end: End, kind: string, sentence: string): void {
    const now = this.#now();
    const since = now - (end.said.get(kind) ?? Number.NEGATIVE_INFINITY);
    if (since >= 0 && since < QUIET) return;
    end.said.set(kind, now);
    this.#say(sentence);
  }
}

export type Way = "connect" | "bind";

interface End {
  readonly way: Way;
  readonly endpoint: string;
  peers: number;
  /** When the last peer left, or the endpoint was added. */
  downSince: Instant;
  readonly said: Map<string, Instant>;
  /** Whether the latest event is a lost connection. */
  isGivenUp: boolean;
}

/** A connection takes a moment, also after a restart of the peer. */
const SETTLED: Duration = 5 * SECOND;
const QUIET: Duration = 10 * SECOND;
const REJOIN: Duration = SECOND;

const REASONS = {
  "handshake:error:auth": "its key is not permitted",
  "handshake:error:protocol": "one has a wrong key or none, or speaks no ØMQ",
  "handshake:error:other": "the connection ended before the greeting did",
} as const;

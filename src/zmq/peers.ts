import type { Event, Publisher, Subscriber } from "zeromq";
import { type Duration, type Instant, SECOND } from "../core/time.ts";

/** Who is at the other ends, by libzmq's own word, as a phrase for the status and as sentences for the log. */
export class Peers {
  readonly #name: string;
  readonly #say: (sentence: string) => void;
  readonly #now: () => Instant;
  readonly #ends = new Map<string, End>();
  #turnedAway = 0;

  /** `name` is who speaks, as a sentence begins: 'Source orders'. */
  constructor(name: string, say: (sentence: string) => void, now: () => Instant = Date.now) {
    this.#name = name;
    this.#say = say;
    this.#now = now;
  }

  /** Peers whose greeting failed: a wrong key, no ØMQ at all. */
  get turnedAway(): number {
    return this.#turnedAway;
  }

  /** `connected to tcp://a:1; waits for tcp://b:2; listens on tcp://*:3 (2 connected)`. */
  get state(): string {
    const connecting = [...this.#ends].filter(([, { way }]) => way === "connect");
    const up = connecting.filter(([, end]) => end.peers > 0).map(([address]) => address);
    const down = connecting.filter(([, end]) => end.peers === 0).map(([address]) => address);
    const bound = [...this.#ends].filter(([, { way }]) => way === "bind");
    return [
      ...(up.length > 0 ? [`connected to ${up.join(", ")}`] : []),
      ...(down.length > 0 ? [`waits for ${down.join(", ")}`] : []),
      ...bound.map(([address, { peers }]) => `listens on ${address} (${peers} connected)`),
    ].join("; ");
  }

  /** Follows a socket's events from now on. Before it binds or connects. */
  watch(socket: Subscriber | Publisher, way: "connect" | "bind"): void {
    void this.#follow(socket.events, way);
  }

  /** What libzmq told of an end. */
  take(event: Event, way: "connect" | "bind"): void {
    if (!("address" in event)) return;
    const end = this.#ends.get(event.address) ?? { way, peers: 0, said: -Infinity };
    this.#ends.set(event.address, end);
    switch (event.type) {
      case "connect":
        end.peers = 1;
        return this.#tell(end, `${this.#name} is connected to ${event.address}`);
      case "accept":
        end.peers++;
        return;
      case "disconnect":
        end.peers = Math.max(0, end.peers - 1);
        if (way === "connect") this.#tell(end, `${this.#name} has lost ${event.address} and tries again`);
        return;
      case "handshake:error:auth":
      case "handshake:error:protocol":
      case "handshake:error:other":
        this.#turnedAway++;
        return this.#tell(
          end,
          `${this.#name} and a peer at ${event.address} do not understand each other: ${reasonOf(event)}`,
        );
      default:
        return;
    }
  }

  async #follow(events: Subscriber["events"], way: "connect" | "bind"): Promise<void> {
    try {
      for (;;) this.take(await events.receive(), way);
    } catch {
      // The socket was closed.
    }
  }

  /** Peers may come and go as fast as they like: an end is told of now and then. */
  #tell(end: End, sentence: string): void {
    const now = this.#now();
    if (now - end.said < QUIET && now >= end.said) return;
    end.said = now;
    this.#say(sentence);
  }
}

interface End {
  readonly way: "connect" | "bind";
  peers: number;
  said: Instant;
}

const QUIET: Duration = SECOND;

function reasonOf(event: Extract<Event, { readonly error: unknown }>): string {
  if (event.type === "handshake:error:auth") return "its key is not one of those that are let in";
  return event.type === "handshake:error:protocol"
    ? "its greeting is not what it should be, or its key is wrong"
    : "the connection ended before the greeting did";
}

import { randomUUID } from "node:crypto";
import type { Instant } from "../core/time.ts";
import type { EventKind } from "./options.ts";
import { type Message, NONE, type NotifyEvent, sizeOf } from "./message.ts";

/**
 * Changes that wait for the next message: the first ones as events, the rest as counts. Bounded: however long a recipient is unreachable, one
 * message waits.
 */
export class Waiting {
  readonly #host: string;
  readonly #most: number;
  readonly #events: { readonly event: NotifyEvent; readonly at: Instant }[] = [];
  #more: Record<EventKind, number> = { ...NONE };
  #missed = 0;
  #since: Instant = 0;

  /** Keeps the first `most` changes as events. */
  constructor(host: string, most: number) {
    this.#host = host;
    this.#most = most;
  }

  /** The number of waiting changes. */
  get size(): number {
    return this.#events.length + this.#more.ban + this.#more.prolong + this.#more.lift + this.#missed;
  }

  /** Whether further changes are only counted. */
  get isFull(): boolean {
    return this.#events.length >= this.#most;
  }

  add(event: NotifyEvent, at: Instant): void {
    if (this.isFull) return this.count(event.kind, at);
    if (this.size === 0) this.#since = at;
    this.#events.push({ event, at });
  }

  /** Counts a change without keeping it. */
  count(kind: EventKind, at: Instant): void {
    if (this.size === 0) this.#since = at;
    this.#more[kind]++;
  }

  /** Counts changes that came too fast to be read. */
  miss(count: number, at: Instant): void {
    if (this.size === 0) this.#since = at;
    this.#missed += count;
  }

  /** Everything as one message; null when nothing waits. */
  takeAll(): Message | null {
    if (this.size === 0) return null;
    const events = this.#events.splice(0).map(({ event }) => event);
    const message = { ...this.#message(this.#since), events, more: this.#more, missed: this.#missed };
    this.#forgetCounts();
    return message;
  }

  /** A message with only the oldest change; null when nothing waits. */
  takeOne(): Message | null {
    const first = this.#events.shift();
    return first === undefined ? null : { ...this.#message(first.at), events: [first.event] };
  }

  /** Drops the counts and returns their sum, for notifications without summaries. */
  forgetCounts(): number {
    const counted = sizeOf({ ...this.#message(0), more: this.#more, missed: this.#missed });
    this.#forgetCounts();
    return counted;
  }

  #forgetCounts(): void {
    this.#more = { ...NONE };
    this.#missed = 0;
  }

  #message(since: Instant): Message {
    return { id: randomUUID(), host: this.#host, events: [], more: NONE, missed: 0, since, test: false };
  }
}

import { randomUUID } from "node:crypto";
import type { Instant } from "../core/time.ts";
import type { EventKind } from "./options.ts";
import { type Message, NONE, type NotifyEvent, sizeOf } from "./message.ts";

/**
 * What has happened and was not told yet. The first changes are kept as they are, the rest as counts, so that it never grows: however long
 * somebody cannot be reached, what waits for him is one message.
 */
export class Waiting {
  readonly #host: string;
  readonly #most: number;
  readonly #events: { readonly event: NotifyEvent; readonly at: Instant }[] = [];
  #more: Record<EventKind, number> = { ...NONE };
  #missed = 0;
  #since: Instant = 0;

  /** `most` changes are kept one by one. */
  constructor(host: string, most: number) {
    this.#host = host;
    this.#most = most;
  }

  /** How many changes wait. */
  get size(): number {
    return this.#events.length + this.#more.ban + this.#more.prolong + this.#more.lift + this.#missed;
  }

  /** True when another change would only be counted. */
  get isFull(): boolean {
    return this.#events.length >= this.#most;
  }

  add(event: NotifyEvent, at: Instant): void {
    if (this.isFull) return this.count(event.kind, at);
    if (this.size === 0) this.#since = at;
    this.#events.push({ event, at });
  }

  /** One more of a kind, of which nothing else is kept. */
  count(kind: EventKind, at: Instant): void {
    if (this.size === 0) this.#since = at;
    this.#more[kind]++;
  }

  /** Changes that came too fast to be looked at. */
  miss(count: number, at: Instant): void {
    if (this.size === 0) this.#since = at;
    this.#missed += count;
  }

  /** All of it as one message; null when there is nothing. */
  takeAll(): Message | null {
    if (this.size === 0) return null;
    const events = this.#events.splice(0).map(({ event }) => event);
    const message = { ...this.#message(this.#since), events, more: this.#more, missed: this.#missed };
    this.#forgetCounts();
    return message;
  }

  /** The oldest change alone; null when there is none. */
  takeOne(): Message | null {
    const first = this.#events.shift();
    return first === undefined ? null : { ...this.#message(first.at), events: [first.event] };
  }

  /** What is only counted and will not be told; for whoever is told each change by itself. */
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

import type { Duration } from "../core/time.ts";
import type { Message } from "./message.ts";

/** What came of one try to bring a message to somebody. */
export type Outcome =
  | { readonly kind: "sent" }
  /** May go well another time; `wait` is what the other side asks for, null when it does not say. */
  | { readonly kind: "later"; readonly fact: string; readonly wait: Duration | null }
  /** Would be refused each time. */
  | { readonly kind: "refused"; readonly fact: string };

/** Brings a message to somebody, once. Never rejects; the signal ends it early. */
export type Deliver = (message: Message, signal: AbortSignal) => Promise<Outcome>;

export function later(fact: string, wait: Duration | null = null): Outcome {
  return { kind: "later", fact, wait };
}

export function refused(fact: string): Outcome {
  return { kind: "refused", fact };
}

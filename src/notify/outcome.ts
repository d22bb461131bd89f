import type { Duration } from "../core/time.ts";
import type { Message } from "./message.ts";

/** The result of one try to deliver a message. */
export type Outcome =
  | { readonly kind: "sent" }
  /** A later try can succeed; `wait` is the pause that the server asks for, null for none. */
  | { readonly kind: "later"; readonly fact: string; readonly wait: Duration | null }
  /** Every try would fail. */
  | { readonly kind: "refused"; readonly fact: string };

/** Tries once to deliver a message. Never rejects; the signal ends it early. */
export type Deliver = (message: Message, signal: AbortSignal) => Promise<Outcome>;

export function later(fact: string, wait: Duration | null = null): Outcome {
  return { kind: "later", fact, wait };
}

export function refused(fact: string): Outcome {
  return { kind: "refused", fact };
}

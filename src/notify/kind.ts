import type { z } from "zod";
import type { BanChange } from "../core/ban.ts";
import type { Duration, Instant } from "../core/time.ts";
import type { Section } from "../schema/section.ts";
import type * as values from "../schema/values.ts";
import type { CommonOptions, NotifierOptions } from "./options.ts";
import type { Deliver } from "./outcome.ts";

/**
 * One kind of notifier: everything that the rest of the program knows about it. `kinds.ts` lists the kinds; the configuration's schema
 * and its reference are made from that list.
 *
 * A kind loads neither zod nor its implementation: `options` is given the schema's values, and `open` imports the implementation.
 */
export interface NotifierKind<Options extends NotifierOptions = NotifierOptions> {
  /** The value of `type` in a notification. */
  readonly name: string;
  /** For the reference, in a sentence: what `type: NAME` is. */
  readonly summary: string;
  readonly description: string;
  readonly options: NotifierKeys;
  /** What holds unless the configuration says otherwise. */
  defaults(options: Options): Pace;
  /** `userAgent` names Stoplog to servers. */
  open(
    options: CommonOptions & Options,
    parts: { readonly userAgent: string; readonly now: () => Instant },
  ): Promise<Deliver>;
  /** Whether a change that the notification selects is sent; `dropped` when only a bound prevents it. Without it, every change is. */
  judge?(options: Options): Judge | null;
}

export interface Pace {
  /** The shortest time between two messages. */
  readonly every: Duration;
  /** The changes that a message lists one by one. */
  readonly most: number;
}

export type Judge = (change: BanChange, now: Instant) => "told" | "left out" | "dropped";

export type Values = typeof values;

/** What a notification may refer to. */
export interface Referable {
  readonly jails: readonly string[];
  readonly targets: readonly string[];
  /** Sentences that are not errors are added here. */
  readonly notes: string[];
}

/** The keys of one kind of notification, and the options that they become. */
export interface NotifierKeys {
  keys(values: Values): z.ZodRawShape;
  /** Called when every required key is there and right. Other keys have their defaults when they are missing or wrong. */
  read(
    values: Readonly<Record<string, unknown>>,
    section: Section,
    named: { readonly name: string; readonly known: Referable },
  ): NotifierOptions;
}

/** Ties the type that `read` gets to the schema of `keys`. */
export function notifierKeys<Keys extends z.ZodRawShape>(
  keys: (values: Values) => Keys,
  read: (
    values: Readonly<z.output<z.ZodObject<Keys>>>,
    section: Section,
    named: { readonly name: string; readonly known: Referable },
  ) => NotifierOptions,
): NotifierKeys {
  return { keys, read: read as NotifierKeys["read"] };
}

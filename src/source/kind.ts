import type { z } from "zod";
import type { Needs } from "../core/needs.ts";
import type { Section } from "../schema/section.ts";
import type * as values from "../schema/values.ts";
import type { OrderParts, OrderSource, PacketSource, Source, SourcePosition } from "./source.ts";

/**
 * One kind of source: everything that the rest of the program knows about it. `kinds.ts` lists the kinds; the configuration's schema,
 * its reference, `check` and `doctor` are made from that list.
 *
 * The daemon holds these objects, so a kind loads neither zod nor its implementation: `options` is given the schema's values, and `open`
 * imports the implementation.
 */
export type SourceKind<Options extends SourceOptions = SourceOptions> = SourceFacts<Options> &
  Opening<Options>;

interface SourceFacts<Options extends SourceOptions> {
  /** The value of `type` in a source. */
  readonly name: string;
  /** For the reference, in a sentence: what `type: NAME` is. */
  readonly summary: string;
  /** For the reference, in a sentence: what it gives. */
  readonly description: string;
  /** Keys of such a source that several kinds take. */
  readonly takes: readonly SharedKeys[];
  readonly options: SourceKeys;
  needs(options: Options): Needs;
  /** The position after everything that is there now, for a source that is opened a little later and was never read. Must not reject. */
  presentEnd?(options: Options): Promise<SourcePosition | null>;
}

/** Sets of keys that the configuration reads for all kinds alike: src/config/sources.ts. */
export type SharedKeys = "max_line" | "timezone" | "orders" | "order defaults";

/** How a kind opens a source, by what the source gives. Nothing is read before the source's own `run`. */
type Opening<Options> =
  | {
      readonly gives: "lines";
      open(name: string, options: Options, saved: SourcePosition | null): Promise<Source>;
    }
  | { readonly gives: "packets"; open(name: string, options: Options): Promise<PacketSource> }
  | {
      readonly gives: "orders";
      open(name: string, options: Options, parts: OrderParts): Promise<OrderSource>;
    };

/** A source of the configuration; each kind adds its own options. */
export interface SourceOptions {
  /** The name of its kind. */
  readonly type: string;
  /** Bytes of a line before its LF that are read. */
  readonly maxLine?: number | undefined;
}

export type Values = typeof values;

/** The keys of one kind of source, and the options that they become. */
export interface SourceKeys {
  keys(values: Values): z.ZodRawShape;
  /** Called when every required key is there and right. Other keys have their defaults when they are missing or wrong. */
  read(values: Readonly<Record<string, unknown>>, section: Section): SourceOptions;
}

/** Ties the type that `read` gets to the schema of `keys`. */
export function sourceKeys<Keys extends z.ZodRawShape>(
  keys: (values: Values) => Keys,
  read: (values: Readonly<z.output<z.ZodObject<Keys>>>, section: Section) => SourceOptions,
): SourceKeys {
  return { keys, read: read as SourceKeys["read"] };
}

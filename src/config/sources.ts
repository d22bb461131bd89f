import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import type { Duration } from "../core/time.ts";
import { CUT_LENGTHS } from "../match/cut/cuts.ts";
import { type Encoding, ENCODINGS } from "../match/encoding/encodings.ts";
import { parseTimeZone } from "../match/time/time-zone.ts";
import type { Section, Written } from "../schema/section.ts";
import * as v from "../schema/values.ts";
import type { SharedKeys, SourceKind, SourceOptions } from "../source/kind.ts";
import { kindOf, SOURCE_KINDS } from "../source/kinds.ts";
import type { Chapter } from "./chapter.ts";
import { chooseKind } from "./choose-kind.ts";

// The section `sources`. Each kind of source has its own keys (src/source/kinds.ts); the keys that kinds share are here.

const ZONES = "local, UTC, an offset such as +02:00 or a name such as Europe/Berlin";

/** A source's own options, and what the configuration says of its lines. */
export type SourceConfig = SourceOptions & {
  /** The time zone of its lines, as match/time/time-zone.ts reads it; `local` unless set. */
  readonly timezone?: string | undefined;
  /** Where the writer of its lines cuts them, in bytes; CUT_LENGTHS unless set. */
  readonly cutLengths?: readonly number[] | undefined;
  /** The encoding of its lines; UTF-8 unless set. */
  readonly encoding?: Encoding | undefined;
  /** Set when its lines are orders, or when it gives orders. */
  readonly orders?: SourceOrders;
};

export interface SourceOrders {
  /** Null for the source's own name. */
  readonly origin: string | null;
  readonly bantime: Duration | null;
  readonly target: string | null;
}

const lineKeys = {
  max_line: v
    .wholeNumber(256, 1 << 20)
    .default(LIMITS.lineBytes.value)
    .meta({
      description:
        "Bytes of a line that are read; the rest is cut off and counted. Patterns see that a line is cut ([the guide](../guide/long-lines.md)).",
      examples: [16_384],
    }),
  encoding: v
    .word(ENCODINGS)
    .default("utf-8")
    .meta({
      description:
        "The encoding of its lines. They become UTF-8 before patterns see them; an address is found in any encoding that holds ASCII. UTF-16 cannot be read.",
      examples: ["latin-1", "windows-1252"],
    }),
  cut_lengths: z
    .array(v.wholeNumber(256, 1 << 20), {
      error: (issue) => `must be a list of lengths, not ${v.shown(issue.input)}`,
    })
    .max(16)
    .default([...CUT_LENGTHS])
    .meta({
      description:
        "Lengths in bytes at which the programs that write this log cut lines. A line that begins with a date and is at most 64 bytes shorter or 128 bytes longer than one of them counts as cut, so nothing in it matches `$`. `[]`: lines come whole.",
      examples: [[1024, 8096]],
    }),
};

const timezoneKeys = {
  timezone: v
    .text(ZONES)
    .refine((value) => parseTimeZone(value) !== null, {
      error: (issue) => `must be ${ZONES}, not ${v.shown(issue.input)}`,
    })
    .default("local")
    .meta({
      description: "The time zone of timestamps that name none.",
      examples: ["UTC", "+02:00", "Europe/Berlin"],
    }),
};

const orderKeys = {
  origin: v
    .name("the name of an origin")
    .optional()
    .meta({
      description: "The origin of its orders (see Origins). Without it, the source's own name.",
      examples: ["scorer"],
    }),
  bantime: v
    .duration({ forever: true, years: 100 })
    .optional()
    .meta({
      description: "How long a ban lasts when neither the order nor its origin says so.",
      examples: ["5h"],
    }),
  target: v
    .name("the name of a target")
    .optional()
    .meta({
      description: "The target of bans when neither the order nor its origin names one.",
      examples: ["slow"],
    }),
};

const SHARED = {
  "order defaults": orderKeys,
  orders: {
    orders: v.flag().default(false).meta({
      description:
        "`true`: the lines are orders in JSON instead of log lines ([the guide](../guide/orders.md)).",
    }),
    ...orderKeys,
  },
  max_line: lineKeys,
  timezone: timezoneKeys,
} satisfies Readonly<Record<SharedKeys, z.ZodRawShape>>;

type WrittenOrders = Written<z.ZodObject<typeof SHARED.orders>>;

/** The schema of a source, by its `type`. */
export const sourceSchemas: Readonly<Record<string, z.ZodObject>> = Object.fromEntries(
  SOURCE_KINDS.map((kind) => [kind.name, schemaOf(kind)]),
);

export const sourcesKey = z
  .record(z.string().regex(v.NAME), z.union(Object.values(sourceSchemas)))
  .optional()
  .meta({
    description: "Where lines, packets and orders come from, by name.",
    examples: [{ auth: { type: "file", path: "/var/log/auth.log" } }],
  });

export const sourcesChapter: Chapter = {
  title: "Sources",
  text: "Where lines, packets and orders come from. Each source has a name of your choice and a `type`.",
  parts: Object.entries(sourceSchemas).map(([type, schema]) => ({ title: `type: ${type}`, schema })),
};

/** Null for a source with errors: its name is known all the same. */
export function readSources(top: Section): ReadonlyMap<string, SourceConfig | null> {
  return top.named("sources", "source", (_, section) => readSource(section));
}

function readSource(section: Section): SourceConfig | null {
  const kind = chooseKind(section, "type", SOURCE_KINDS);
  const schema = sourceSchemas[kind?.name ?? ""];
  if (kind === null || schema === undefined) return null;
  const { complete: values } = section.read(schema);
  if (values === null) return null;
  const {
    max_line: maxLine,
    cut_lengths: cutLengths,
    encoding = "utf-8",
    timezone,
  } = values as {
    readonly max_line?: number;
    readonly cut_lengths?: readonly number[];
    readonly encoding?: Encoding;
    readonly timezone?: string;
  };
  return {
    ...kind.options.read(values, section),
    ...(maxLine === undefined ? {} : { maxLine }),
    ...(cutLengths === undefined || isDefault(cutLengths) ? {} : { cutLengths }),
    ...(encoding === "utf-8" ? {} : { encoding }),
    ...(timezone === undefined ? {} : { timezone }),
    ...ordersOf(kind, values, section),
  };
}

function isDefault(lengths: readonly number[]): boolean {
  return lengths.length === CUT_LENGTHS.length && lengths.every((length, i) => length === CUT_LENGTHS[i]);
}

function schemaOf({ name, summary, description, options, takes }: SourceKind): z.ZodObject {
  return z
    .strictObject({
      type: v.kindKey(name, summary),
      ...options.keys(v),
      ...Object.assign({}, ...takes.map((keys) => SHARED[keys])),
    })
    .meta({ description });
}

/** The door that a source of orders is. */
function ordersOf(
  { gives, takes }: SourceKind,
  { orders = false, origin, bantime, target }: WrittenOrders,
  section: Section,
): Pick<SourceConfig, "orders"> {
  if (orders || gives === "orders") {
    return { orders: { origin: origin ?? null, bantime: bantime ?? null, target: target ?? null } };
  }
  if (takes.includes("orders")) section.refuseKeys(Object.keys(orderKeys), "needs orders: true");
  return {};
}

/** What a source gives to jails; null for a source with errors or a missing one. */
export function givesOf(source: SourceConfig | null | undefined): SourceKind["gives"] | null {
  if (source === null || source === undefined) return null;
  return source.orders === undefined ? kindOf(source).gives : "orders";
}

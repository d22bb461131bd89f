import { z } from "zod";
import type { EnforcerKind } from "../enforce/kind.ts";
import { ENFORCER_KINDS } from "../enforce/kinds.ts";
import { nftables } from "../enforce/nftables/kind.ts";
import * as values from "../schema/values.ts";

/** The kind of a target that names none. */
export const DEFAULT_KIND: EnforcerKind = nftables;

/** Keys that all targets take. */
const commonKeys = {
  bantime: values
    .duration({ forever: true, years: 100 })
    .optional()
    .meta({
      description: "How long bans last where neither the jail nor its step says so; `-1` for permanent bans.",
      examples: ["10m"],
    }),
  reset_connections: values.flag().default(false).meta({
    description:
      "Closes open connections of banned addresses: their entries in the kernel's table, and this machine's own sockets.",
  }),
};

/** The schema of a target, by its `enforcer`. */
export const targetSchemas: Readonly<Record<string, z.ZodObject>> = Object.fromEntries(
  ENFORCER_KINDS.flatMap((kind) => (kind.options === null ? [] : [[kind.name, schemaOf(kind)]])),
);

function schemaOf({ name, summary, description, options }: EnforcerKind): z.ZodObject {
  const word = name === DEFAULT_KIND.name ? values.word([name]).default(name) : z.literal(name);
  return z
    .strictObject({
      enforcer: word.meta({ description: summary, examples: [name] }),
      ...options?.keys(values),
      ...commonKeys,
    })
    .meta({ description });
}

/** A target in the file: one enforcer. */
export const waySchema = z.union(Object.values(targetSchemas));

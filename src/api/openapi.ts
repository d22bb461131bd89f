import { z } from "zod";
import { LIMITS } from "../core/limits.ts";

// The API over TCP, described for machines (OpenAPI 3.1): docs/reference/openapi.json is made from this. The daemon itself does not load it.

/** One order, as `readOrder` takes it. */
export const orderSchema = z
  .looseObject({
    order: z.enum(["ban", "unban", "allow"]).default("ban"),
    address: z.string().meta({
      description: "An address or a network, IPv4 or IPv6.",
      examples: ["192.0.2.1", "2001:db8::/48"],
    }),
    duration: z
      .union([z.string(), z.number()])
      .nullable()
      .optional()
      .meta({
        description: "Seconds, or a sum such as 1d12h; -1 for ever. Without it, as the origin's rules say.",
        examples: ["1h", 600],
      }),
    target: z
      .string()
      .nullable()
      .optional()
      .meta({ description: "The name of a target; the origin's without it." }),
    reason: z.string().default("").meta({ description: "A phrase for people." }),
    id: z
      .union([z.string(), z.number()])
      .nullable()
      .optional()
      .meta({ description: "The same order twice counts once." }),
  })
  .meta({ description: "What is to be done with an address. Unknown keys are passed over." });

export const banSchema = z
  .strictObject({
    address: z.string(),
    jail: z.string(),
    target: z.string(),
    reason: z.string(),
    since: z.iso.datetime(),
    until: z.iso.datetime().nullable().meta({ description: "null for ever" }),
    origin: z.string(),
  })
  .meta({ description: "A ban that stands." });

export const answerSchema = z
  .strictObject({
    done: z.int(),
    nothing: z.int().meta({
      description: "Nothing had to be done: banned for longer already, not banned, or the same order again.",
    }),
    held: z.int().meta({ description: "They wait for somebody to look at them." }),
    refused: z.int(),
    unreadable: z.int(),
    sentences: z
      .array(z.string())
      .meta({ description: "The first few that were refused, held or unreadable." }),
  })
  .meta({ description: "How many orders came to what." });

export const errorSchema = z.strictObject({ error: z.string() }).meta({ description: "A sentence." });

const schemaOf = (schema: z.ZodType): object => z.toJSONSchema(schema, { io: "input" });
const json = (schema: object) => ({ "application/json": { schema } });
const refused = (status: string, description: string) => ({
  [status]: { description, content: json({ $ref: "#/components/schemas/Error" }) },
});

/** The whole description. */
export function openApi(version: string): object {
  return {
    openapi: "3.1.0",
    info: {
      title: "Stoplog",
      version,
      description:
        "Orders from elsewhere, and who is banned. Offered where the configuration has `api`; a token shows whose orders these are.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    security: [{ token: [] }],
    paths: {
      "/v1/orders": {
        post: {
          summary: "Ban, free or allow addresses",
          description: `One order, a list of them, or one a line; at most ${LIMITS.orderBatchBytes.value} bytes. Each is taken or refused by itself.`,
          requestBody: {
            required: true,
            content: {
              ...json({
                oneOf: [
                  { $ref: "#/components/schemas/Order" },
                  { type: "array", items: { $ref: "#/components/schemas/Order" } },
                ],
              }),
              "application/x-ndjson": { schema: { $ref: "#/components/schemas/Order" } },
            },
          },
          responses: {
            "200": {
              description: "What became of them",
              content: json({ $ref: "#/components/schemas/Answer" }),
            },
            ...refused("400", "The body is no JSON"),
            ...refused("401", "The token is wrong or missing"),
            ...refused("413", "The body is too long"),
          },
        },
      },
      "/v1/bans": {
        get: {
          summary: "Who is banned, or how that changes",
          parameters: [
            {
              name: "cursor",
              in: "query",
              schema: { type: "string" },
              description: "The id of the last event that was seen; as the header Last-Event-ID.",
            },
          ],
          responses: {
            "200": {
              description:
                "All bans; as a stream of events (ban, prolong, lift, resync, synced) for whoever accepts text/event-stream",
              content: {
                ...json({ type: "array", items: { $ref: "#/components/schemas/Ban" } }),
                "text/event-stream": { schema: { type: "string" } },
              },
            },
            ...refused("401", "The token is wrong or missing"),
            ...refused("403", "The token may not read"),
            ...refused("503", "Too many streams are open"),
          },
        },
      },
      "/v1/status": {
        get: {
          summary: "What is watched, rates, lag, what was shed",
          responses: {
            "200": { description: "As `stoplog status --json`", content: json({ type: "object" }) },
            ...refused("401", "The token is wrong or missing"),
            ...refused("403", "The token may not read"),
          },
        },
      },
      "/v1/metrics": {
        get: {
          summary: "Counters, gauges and histograms",
          responses: {
            "200": {
              description: "Prometheus' text format; docs/reference/metrics.md has the names",
              content: { "text/plain": { schema: { type: "string" } } },
            },
            ...refused("401", "The token is wrong or missing"),
            ...refused("403", "The token may not read"),
          },
        },
      },
    },
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
      schemas: {
        Order: schemaOf(orderSchema),
        Ban: schemaOf(banSchema),
        Answer: schemaOf(answerSchema),
        Error: schemaOf(errorSchema),
      },
    },
  };
}

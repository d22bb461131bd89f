import { z } from "zod";
import { LIMITS } from "../core/limits.ts";

// The API over TCP as OpenAPI 3.1: docs/reference/openapi.json is generated from this. The daemon does not load it.

/** One order, as `readOrder` reads it. */
export const orderSchema = z
  .looseObject({
    order: z.enum(["ban", "unban", "allow", "unallow"]).default("ban"),
    address: z.string().meta({
      description: "An address or a network, IPv4 or IPv6.",
      examples: ["192.0.2.1", "2001:db8::/48"],
    }),
    duration: z
      .union([z.string(), z.number()])
      .nullable()
      .optional()
      .meta({
        description: "Seconds, or a sum such as 1d12h; -1 is permanent. Default: the origin's bantime.",
        examples: ["1h", 600],
      }),
    target: z
      .string()
      .nullable()
      .optional()
      .meta({ description: "The name of a target. Default: the origin's." }),
    reason: z.string().default("").meta({ description: "A phrase that `list` and `why` show." }),
    id: z
      .union([z.string(), z.number()])
      .nullable()
      .optional()
      .meta({ description: "An order with an id that was seen before does nothing." }),
  })
  .meta({ description: "What to do with an address. Unknown keys are ignored." });

export const banSchema = z
  .strictObject({
    address: z.string(),
    jail: z.string(),
    target: z.string(),
    reason: z.string(),
    since: z.iso.datetime(),
    until: z.iso.datetime().nullable().meta({ description: "null for a permanent ban" }),
    origin: z.string(),
    enforced: z.boolean().nullable().meta({
      description: "false when the ban is not enforced and packets pass; null when that is not known.",
    }),
    trouble: z.string().nullable().meta({ description: "Why it is not enforced; null when it is." }),
  })
  .meta({ description: "An active ban." });

export const answerSchema = z
  .strictObject({
    done: z.int(),
    nothing: z.int().meta({
      description:
        "Nothing to do: already banned for longer, not banned, not allowed, or the same order again.",
    }),
    held: z.int().meta({ description: "Orders that wait for an operator." }),
    refused: z.int(),
    unreadable: z.int(),
    sentences: z
      .array(z.string())
      .meta({ description: "The first few orders that were refused, held or unreadable, and why." }),
  })
  .meta({ description: "The number of orders by outcome." });

export const errorSchema = z.strictObject({ error: z.string() }).meta({ description: "A sentence." });

const schemaOf = (schema: z.ZodType): object => z.toJSONSchema(schema, { io: "input" });
const json = (schema: object) => ({ "application/json": { schema } });
const refused = (status: string, description: string) => ({
  [status]: { description, content: json({ $ref: "#/components/schemas/Error" }) },
});

export function openApi(version: string): object {
  return {
    openapi: "3.1.0",
    info: {
      title: "Stoplog",
      version,
      description:
        "Orders from other programs, and the list of bans. Available where the configuration has `api`; the token says which origin an order is from.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    security: [{ token: [] }],
    paths: {
      "/v1/orders": {
        post: {
          summary: "Ban, unban or allow addresses, or take an allow back",
          description: `One order, an array of orders, or one order a line; at most ${LIMITS.orderBatchBytes.value} bytes. Each succeeds or fails on its own.`,
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
              description: "The outcome, as counts",
              content: json({ $ref: "#/components/schemas/Answer" }),
            },
            ...refused("400", "The body is not JSON"),
            ...refused("401", "The token is invalid or missing"),
            ...refused("403", "The token may only read, or the request is meant for another host"),
            ...refused("413", "The body is too long"),
            ...refused("503", "Too many bodies are being read"),
          },
        },
      },
      "/v1/bans": {
        get: {
          summary: "All bans, or their changes",
          parameters: [
            {
              name: "cursor",
              in: "query",
              schema: { type: "string" },
              description:
                "The id of the last event that the client has seen; the header Last-Event-ID does the same.",
            },
          ],
          responses: {
            "200": {
              description:
                "All bans; a stream of events (`ban`, `prolong`, `lift`, `resync`, `synced`) when the client accepts text/event-stream",
              content: {
                ...json({ type: "array", items: { $ref: "#/components/schemas/Ban" } }),
                "text/event-stream": { schema: { type: "string" } },
              },
            },
            ...refused("401", "The token is invalid or missing"),
            ...refused("403", "The token may not read, or the request is meant for another host"),
            ...refused("503", "Too many streams are open"),
          },
        },
      },
      "/v1/status": {
        get: {
          summary: "Sources, jails, rates, lag, losses",
          responses: {
            "200": { description: "As `stoplog status --json`", content: json({ type: "object" }) },
            ...refused("401", "The token is invalid or missing"),
            ...refused("403", "The token may not read, or the request is meant for another host"),
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
            ...refused("401", "The token is invalid or missing"),
            ...refused("403", "The token may not read, or the request is meant for another host"),
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

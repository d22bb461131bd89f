import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answerSchema, banSchema, errorSchema, openApi, orderSchema } from "../../src/api/openapi.ts";
import { RemoteApi } from "../../src/api/remote/remote-api.ts";
import { Book } from "../../src/book/book.ts";
import { packageRoot } from "../../src/config/package-root.ts";
import { systemClock } from "../../src/core/clock.ts";
import { listedBans } from "../../src/daemon/replies.ts";
import { takeOrders } from "../../src/daemon/orders.ts";
import { version } from "../../src/daemon/version.ts";
import { OrderGate } from "../../src/orders/gate.ts";
import { orderOf } from "../../src/orders/read-order.ts";

const SECRET = "a-secret-for-the-fuzzer";

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly statuses: readonly string[];
  readonly takesOrders: boolean;
}

const description = openApi(version) as {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: object; readonly requestBody?: object }>>>
  >;
};
const OPERATIONS: readonly Operation[] = Object.entries(description.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { responses, requestBody }]) => ({
    method: method.toUpperCase(),
    path,
    statuses: Object.keys(responses),
    takesOrders: requestBody !== undefined,
  })),
);

/** Values that the schema accepts, and values that it refuses. */
const arbitraryOrder = fc.record(
  {
    order: fc.constantFrom("ban", "unban", "allow", "unallow", "kill", 5),
    address: fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.constantFrom("192.0.2.0/24", "0.0.0.0/0", "999.1.1.1", "::/0", "", null),
    ),
    duration: fc.constantFrom("1h", 600, -1, "-1", "soon", 0, null, {}, 1e300),
    target: fc.constantFrom("default", "nowhere", null, 7),
    reason: fc.oneof(fc.string(), fc.constant("\u001b[31m\n{}")),
    id: fc.oneof(fc.string(), fc.nat(), fc.constant(null), fc.constant([])),
    more: fc.jsonValue(),
  },
  { requiredKeys: [] },
);

const goodOrder = fc.record({
  order: fc.constantFrom("ban", "ban", "unban", "allow", "unallow"),
  address: fc.ipV4(),
  duration: fc.constantFrom("1h", 600, null),
});

const arbitraryBody = fc.oneof(
  fc.array(goodOrder, { maxLength: 20 }).map((list) => JSON.stringify(list)),
  arbitraryOrder.map((order) => JSON.stringify(order)),
  fc.array(fc.oneof(arbitraryOrder, fc.jsonValue()), { maxLength: 20 }).map((list) => JSON.stringify(list)),
  fc
    .array(fc.oneof(arbitraryOrder, fc.jsonValue()), { maxLength: 20 })
    .map((list) => list.map((one) => JSON.stringify(one)).join("\n")),
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.constantFrom("[", "[[", '{"address":', "\0", "[".repeat(10_000)),
);

describe("the API's description", () => {
  const none = {
    holds: () => null,
    allow: () => null,
    unallow: () => true,
    networksOf: () => [],
    forget: () => undefined,
    wasReset: () => undefined,
  };
  const gate = new OrderGate({ ...none, book: new Book({ capacity: 10, changes: 10 }) });
  const book = new Book({ capacity: 1000, changes: 100 });
  const real = new OrderGate({ ...none, book });
  let api: RemoteApi;
  let port = 0;

  beforeAll(async () => {
    const rules = { bantime: 3_600_000, longest: 86_400_000, target: "default", widest: { v4: 8, v6: 16 } };
    const origin = { ...rules, name: "fuzzer", rate: 1e9, mass: 1e9, bans: 500, unbansOthers: false };
    real.configure([{ ...origin, may: ["ban", "unban", "allow", "unallow"] }], ["default"]);
    const controller = {
      status: () => ({}) as never,
      bans: () => listedBans(book, () => ({ enforced: true, trouble: null }), systemClock.now()),
      events: async function* () {
        yield "";
      },
      orders: (lines: Iterable<string>, name: string) => takeOrders(lines, name, { gate: real }, systemClock),
    };
    const token = {
      name: "fuzzer",
      origin: "fuzzer",
      orders: true,
      reads: true,
      sha256: createHash("sha256").update(SECRET).digest(),
    };
    api = new RemoteApi(
      { listen: [{ host: "127.0.0.1", port: 0 }], tls: null, tokens: [token], hosts: [] },
      controller,
      systemClock,
    );
    await api.open();
    port = Number(api.stats.addresses[0]?.split(":").at(-1));
  });
  afterAll(() => api.close());

  function ask(
    { method, path }: Operation,
    query: string,
    body: string,
  ): Promise<{ status: string; text: string }> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${SECRET}`, "content-type": "application/json" };
      const asked = request(
        { host: "127.0.0.1", port, method, path: `${path}${query}`, headers, agent: false },
        (response) => {
          let text = "";
          response.on("data", (chunk: Buffer) => (text += chunk.toString()));
          response.on("end", () => resolve({ status: String(response.statusCode), text }));
        },
      );
      asked.on("error", reject);
      asked.end(method === "GET" ? undefined : body);
    });
  }

  it("is up to date (else: node scripts/run-ts.mjs scripts/generate-reference.ts)", () => {
    const text = readFileSync(join(packageRoot(), "docs/reference/openapi.json"), "utf8");
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(description)));
  });

  it("accepts every order that the order reader accepts", () => {
    fc.assert(
      fc.property(fc.oneof(arbitraryOrder, fc.jsonValue()), (value) => {
        const order = orderOf(JSON.parse(JSON.stringify(value)));
        if (typeof order === "string") return;
        expect(orderSchema.safeParse(JSON.parse(JSON.stringify(value))).success).toBe(true);
        expect(gate.take(order, "unknown", 0).kind).toBe("refused");
      }),
      { numRuns: 2000 },
    );
  });

  it("describes the status and shape of every answer", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...OPERATIONS),
        fc.oneof(
          fc.constant(""),
          fc.webQueryParameters().map((text) => `?cursor=${text}`),
        ),
        arbitraryBody,
        async (operation, query, body) => {
          const { status, text } = await ask(operation, query, body);
          expect(operation.statuses).toContain(status);
          if (operation.path === "/v1/metrics") {
            expect(text).toMatch(/^# HELP /);
            return;
          }
          const answer: unknown = JSON.parse(text);
          if (status !== "200") expect(errorSchema.safeParse(answer).success).toBe(true);
          else if (operation.takesOrders) expect(answerSchema.safeParse(answer).success).toBe(true);
          else if (operation.path === "/v1/bans")
            for (const ban of answer as unknown[]) expect(banSchema.safeParse(ban).success).toBe(true);
        },
      ),
      { numRuns: 400 },
    );
    expect(real.statsOf("fuzzer")?.done).toBeGreaterThan(10);
    expect(book.bansFrom("fuzzer")).toBe(book.size);
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { allLimits } from "../enforce/kinds.ts";
import { packageRoot } from "./package-root.ts";
import { editorSchema, referencePages } from "./reference.ts";
import { CHAPTERS, configSchema } from "./schema.ts";

const pages = referencePages();
const objects = {
  "At the top": configSchema,
  ...Object.fromEntries(
    CHAPTERS.flatMap(({ title, parts }) =>
      parts.map((part) => [`${title}, ${part.title ?? "keys"}`, part.schema] as const),
    ),
  ),
};

describe("the reference", () => {
  it.each([...pages.keys()])(
    "%s is up to date (else: node scripts/run-ts.mjs scripts/generate-reference.ts)",
    (path) => {
      expect(readFileSync(join(packageRoot(), path), "utf8")).toBe(pages.get(path));
    },
  );

  it.each(Object.entries(objects))("%s describes every key", (_, schema) => {
    for (const [key, value] of Object.entries(schema.shape)) {
      expect([key, value.meta()?.description]).toEqual([key, expect.stringMatching(/^[A-Z`].*\.$/s)]);
    }
  });

  it.each(Object.entries(objects))("%s takes its own examples", (_, schema) => {
    for (const [key, value] of Object.entries(schema.shape)) {
      const examples = (value.meta()?.["examples"] ?? []) as unknown[];
      for (const example of examples)
        expect([key, example, value.safeParse(example).error?.issues]).toEqual([key, example, undefined]);
    }
  });

  it("names every limit", () => {
    for (const { what, counter } of Object.values(allLimits())) {
      expect(pages.get("docs/limits.md")).toContain(what);
      expect(pages.get("docs/limits.md")).toContain(counter);
    }
  });

  it("gives editors a schema in which a jail has all its keys and no others", () => {
    expect(editorSchema()).toMatchObject({
      additionalProperties: false,
      properties: {
        jails: {
          additionalProperties: {
            additionalProperties: false,
            properties: {
              maxretry: { type: "integer", minimum: 1, default: 5 },
              findtime: { default: "10m" },
              filter: { anyOf: [{ type: "string" }, { type: "object" }] },
            },
          },
        },
      },
    });
  });
});

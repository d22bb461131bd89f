import { describe, expect, it } from "vitest";
import { ARCHITECTURES } from "./architectures.ts";
import { recipe } from "./recipe.ts";
import { billOfMaterials } from "./sbom.ts";

describe("the bill of materials", () => {
  it("names each part with its version, licence and place at npm", () => {
    const [amd64] = ARCHITECTURES;
    if (amd64 === undefined) throw new Error();
    const parts = [
      { name: "zod", version: "4.6.7", license: "MIT" },
      { name: "@eslint-community/regexpp", version: "4.12.3", license: "(MIT OR Apache-2.0)" },
    ];
    const { components, metadata } = JSON.parse(billOfMaterials(recipe(amd64, false, 1, 60), parts)) as {
      components: readonly object[];
      metadata: object;
    };
    expect(metadata).toMatchObject({ timestamp: "1970-01-01T00:01:00.000Z", component: { name: "stoplog" } });
    expect(components).toMatchObject([
      {
        purl: "pkg:npm/%40eslint-community/regexpp@4.12.3",
        licenses: [{ expression: "(MIT OR Apache-2.0)" }],
      },
      { name: "zod", version: "4.6.7", licenses: [{ license: { id: "MIT" } }] },
    ]);
  });
});

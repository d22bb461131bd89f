import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { licenses } from "../scripts/build.mjs";
import { packageRoot } from "../src/config/package-root.ts";
import { licenceOf } from "./licences.ts";

const at = (name: string): string => join(packageRoot(), "node_modules", name);

describe("licences", () => {
  it("have a text for each package that is bundled", () => {
    const text = licenses([
      "src/cli/main.ts",
      "node_modules/zod/v4/core/core.js",
      "node_modules/yaml/dist/cst.js",
    ]);
    expect(text).toMatch(/^yaml \d\S+ \(ISC\)\n\nCopyright Eemeli Aro/m);
    expect(text).toMatch(/^zod \d\S+ \(MIT\)\n\nMIT License/m);
  });

  it("stop the build when a bundled package has none", () => {
    expect(() => licenses(["node_modules/cmake-ts/build/loader.js"])).toThrow(
      /^Cannot bundle cmake-ts \S+: it has no licence file$/,
    );
  });

  it("cover what is linked into a native part, and packages without a file of their own", () => {
    expect(licenceOf("zeromq", at("zeromq"))).toMatch(/MPL-2\.0[^]*ISC License[^]*Frank Denis/);
    expect(licenceOf("cmake-ts", at("cmake-ts"))).toContain("free of charge, to any person");
  });

  it("stop a package without a text", () => {
    const folder = mkdtempSync(join(tmpdir(), "stoplog-licence-"));
    writeFileSync(join(folder, "package.json"), '{ "version": "1.0.0" }');
    expect(() => licenceOf("new", folder)).toThrow("Cannot package new 1.0.0: it has no licence file");
    rmSync(folder, { recursive: true });
  });
});

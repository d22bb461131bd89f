import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mayImport } from "../../oxlint.config.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folders = Object.keys(mayImport);

/** Files of src/core and what they import. */
const TEST_CODE = {
  "code-imports-support.ts": "../../test/support/budget.ts",
  "imports-support.test.ts": "../../test/support/budget.ts",
  "imports-property.test.ts": "../../test/property/some.ts",
};

function allowed(from: string, to: string): boolean {
  const list = mayImport[from];
  return from === to || list === "all" || list?.includes(to) === true;
}

describe("the lint rule refuses an import against the flow", () => {
  let dir = "";
  let refused: Set<string>;

  // One file for each pair of folders and each depth, in a tree of the same shape, linted with the real configuration.
  const probe = (from: string, to: string, depth: number) =>
    `src/${from}/${"deep/".repeat(depth - 1)}imports-${to}.ts`;

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "stoplog-lint-"));
    copyFileSync(join(root, "oxlint.config.js"), join(dir, "oxlint.config.js"));
    writeFileSync(join(dir, "package.json"), '{ "type": "module" }');
    for (const from of folders) {
      for (const to of folders) {
        for (const depth of [1, 2, 3]) {
          const file = join(dir, probe(from, to, depth));
          mkdirSync(dirname(file), { recursive: true });
          writeFileSync(file, `export { value } from "${"../".repeat(depth)}${to}/some/value.ts";\n`);
        }
      }
    }
    for (const [name, from] of Object.entries(TEST_CODE)) {
      writeFileSync(join(dir, "src/core", name), `export { value } from "${from}";\n`);
    }
    const oxlint = join(root, "node_modules/oxlint/bin/oxlint");
    const run = spawnSync(process.execPath, [oxlint, "-c", "oxlint.config.js", "--format=json", "src"], {
      cwd: dir,
      encoding: "utf8",
      maxBuffer: 1 << 26,
    });
    const report = JSON.parse(run.stdout) as { diagnostics: { code: string; filename: string }[] };
    refused = new Set(
      report.diagnostics
        .filter((diagnostic) => diagnostic.code.includes("no-restricted-imports"))
        .map((diagnostic) => diagnostic.filename),
    );
  }, 60_000);

  afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  test.each(folders)("from src/%s", (from) => {
    const pairs = folders.flatMap((to) => [1, 2, 3].map((depth) => ({ to, depth })));
    const expected = pairs.filter(({ to }) => !allowed(from, to)).map((p) => probe(from, p.to, p.depth));
    const actual = pairs.map((p) => probe(from, p.to, p.depth)).filter((file) => refused.has(file));
    expect(actual).toEqual(expected);
  });

  test("test/support is for tests alone, and the rest of test/ for none of them", () => {
    const found = Object.keys(TEST_CODE).filter((name) => refused.has(`src/core/${name}`));
    expect(found).toEqual(["code-imports-support.ts", "imports-property.test.ts"]);
  });

  test("the most important pairs, spelled out", () => {
    expect([...refused]).toEqual(
      expect.arrayContaining([
        "src/core/imports-book.ts",
        "src/match/imports-jail.ts",
        "src/kernel/deep/imports-book.ts",
        "src/enforce/deep/imports-jail.ts",
        "src/config/imports-daemon.ts",
        "src/daemon/imports-cli.ts",
      ]),
    );
    expect(refused.has("src/jail/imports-core.ts")).toBe(false);
  });
});

describe("the direction of imports, beyond the lint rule", () => {
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts"),
  );

  test("every folder of src is in the table", () => {
    const present = readdirSync(join(root, "src")).filter((name) =>
      statSync(join(root, "src", name)).isDirectory(),
    );
    expect(present.filter((name) => !folders.includes(name))).toEqual([]);
  });

  // no-restricted-imports checks import and export declarations only.
  test("import() follows the same table", () => {
    const against: string[] = [];
    for (const file of sources) {
      const text = readFileSync(join(root, "src", file), "utf8");
      for (const [, specifier] of text.matchAll(/\bimport\(\s*["'](\.[^"']+)["']/g)) {
        const target = posix.join(posix.dirname(file), specifier!);
        const [from, to] = [file.split("/")[0]!, target.split("/")[0]!];
        const isSupport = file.endsWith(".test.ts") && specifier!.includes("../test/support/");
        if (!isSupport && !allowed(from, to))
          against.push(`${relative(root, join(root, "src", file))}: ${specifier}`);
      }
    }
    expect(against).toEqual([]);
  });
});

import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";

/** Packages that are large and needed only to read a configuration or a command line: docs/decisions/0005-a-small-daemon.md. */
const TOO_LARGE = ["yaml", "zod"];

test("the daemon loads neither zod nor yaml, whatever is configured", async () => {
  const { metafile } = await build({
    absWorkingDir: fileURLToPath(new URL("../..", import.meta.url)),
    entryPoints: ["src/daemon/run.ts"],
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    external: ["koffi", "zeromq"],
    outdir: "unused",
    write: false,
    metafile: true,
  });
  const loaded = new Set<string>();
  const ways: string[] = [];
  const visit = (file: string, way: readonly string[]): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    const [, name] = /node_modules\/([^/]+)\//.exec(file) ?? [];
    if (name !== undefined && TOO_LARGE.includes(name)) {
      ways.push([...way, name].join(" > "));
      return;
    }
    for (const { path } of metafile.inputs[file]?.imports ?? []) visit(path, [...way, file]);
  };
  visit("src/daemon/run.ts", []);
  expect(loaded.has("src/enforce/kinds.ts")).toBe(true);
  expect(ways).toEqual([]);
});

import { fileURLToPath } from "node:url";
import { build, type Metafile } from "esbuild";
import { expect, test } from "vitest";

/** Packages that are large and needed only to read a configuration: docs/decisions/0005-a-small-daemon.md. */
const TOO_LARGE = ["yaml", "zod"];

test("the daemon loads neither zod nor yaml, whatever is configured", async () => {
  const { loaded, ways } = await imports("src/daemon/run.ts", () => true);
  expect(loaded.has("src/enforce/kinds.ts")).toBe(true);
  expect(ways).toEqual([]);
});

test("the command line loads neither zod nor yaml before a command runs", async () => {
  const { loaded, ways } = await imports("src/cli/program.ts", (kind) => kind !== "dynamic-import");
  expect(loaded.has("src/cli/commands/import.ts")).toBe(true);
  expect(ways).toEqual([]);
});

type Follow = (kind: Metafile["inputs"][string]["imports"][number]["kind"]) => boolean;

/** The files that `entry` imports in ways that `follow` accepts, and the ways to packages that are too large. */
async function imports(entry: string, follow: Follow) {
  const { metafile } = await build({
    absWorkingDir: fileURLToPath(new URL("../..", import.meta.url)),
    entryPoints: [entry],
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
    for (const { path, kind } of metafile.inputs[file]?.imports ?? [])
      if (follow(kind)) visit(path, [...way, file]);
  };
  visit(entry, []);
  return { loaded, ways };
}

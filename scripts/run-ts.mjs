// @ts-check
// Runs a TypeScript program of this repository; Node 20 cannot.
//
//   node [NODE OPTIONS] scripts/run-ts.mjs FILE.ts [ARGUMENTS]
//
// Bundles the program into node_modules/.cache/ and imports it. Packages stay outside the bundle.

import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, stop } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: node scripts/run-ts.mjs FILE.ts [ARGUMENTS]");
  process.exit(2);
}

const program = resolve(file);
// One file for each program and process: two runs at the same time do not overwrite each other.
const name = createHash("sha256").update(program).digest("hex").slice(0, 12);
const output = join(root, "node_modules/.cache/stoplog/run", name, `${process.pid}.mjs`);

/** Keeps the program's own location: it reads files beside its source although it runs from the cache. @type {import("esbuild").Plugin} */
const ownLocation = {
  name: "own-location",
  setup(bundle) {
    bundle.onLoad({ filter: /\.(ts|mjs)$/ }, ({ path }) => ({
      loader: path.endsWith(".ts") ? "ts" : "js",
      contents: readFileSync(path, "utf8")
        .replaceAll(/\bimport\.meta\.url\b/g, JSON.stringify(pathToFileURL(path).href))
        .replaceAll(/\bimport\.meta\.dirname\b/g, JSON.stringify(dirname(path)))
        .replaceAll(/\bimport\.meta\.filename\b/g, JSON.stringify(path)),
    }));
  },
};

try {
  await build({
    absWorkingDir: root,
    entryPoints: [program],
    outfile: output,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    packages: "external",
    sourcemap: "inline",
    sourcesContent: false,
    logLevel: "error",
    plugins: [ownLocation],
  });
} catch {
  console.error(`${relative(process.cwd(), program)} could not be bundled.`);
  process.exit(2);
}

// esbuild's process must not run beside a benchmark.
await stop();
process.on("exit", () => rmSync(output, { force: true }));
process.setSourceMapsEnabled(true);
process.argv = [process.execPath, program, ...args];
await import(pathToFileURL(output).href);

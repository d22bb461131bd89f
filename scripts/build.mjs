// @ts-check
// Bundles src/cli/main.ts and what it imports into dist/. A bundle starts faster than two hundred modules, and leaves koffi
// as the only package that an installed Stoplog needs, and zeromq for those who use ØMQ. Data (filters/) is not copied: it is read from the package's root.
//
//   node scripts/build.mjs           builds if a source is newer than dist/
//   node scripts/build.mjs --force   builds
//   node scripts/build.mjs --clean   builds, and leaves nothing of earlier builds, as a package must be

import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { isMain } from "./run.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const entry = join(root, "src/cli/main.ts");
const dist = join(root, "dist");
const output = join(dist, "stoplog.mjs");

/** What decides the bundle's content. The same list is in ../stoplog, which must not start Node to look at it. */
const inputs = ["src", "filters", "package.json", "package-lock.json", "scripts/build.mjs"];

/** Chunks of the build before stay this long, since a daemon that still runs may yet load one of them. */
const keepOldChunksMs = 24 * 60 * 60 * 1000;

/** Newest change below a path. Folders count, because a deleted file shows nowhere else. @param {string} path @returns {number} */
function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

export function isBuilt() {
  const built = statSync(output, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return inputs.every((input) => newest(join(root, input)) <= built);
}

export async function build({ clean = false } = {}) {
  if (!existsSync(entry))
    throw new Error(`There is nothing to build: ${relative(root, entry)} does not exist.`);
  const { build: bundle } = await import("esbuild");
  const started = new Date();
  const result = await bundle({
    absWorkingDir: root,
    entryPoints: { stoplog: entry },
    outdir: dist,
    outExtension: { ".js": ".mjs" },
    chunkNames: "chunks/[name]-[hash]",
    bundle: true,
    // What is imported dynamically becomes a file of its own, loaded when it is used: `stoplog list` does not load the daemon.
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    // Their native halves are found beside their JavaScript, so they cannot move into the bundle.
    external: ["koffi", "zeromq"],
    sourcemap: true,
    sourcesContent: false,
    // Traces must be readable. Nothing renames functions as long as nothing minifies, so keepNames would only add calls.
    minify: false,
    // CommonJS packages ask for Node's own modules with require().
    banner: {
      js: 'import { createRequire as stoplogCreateRequire } from "node:module"; const require = stoplogCreateRequire(import.meta.url);',
    },
    legalComments: "none",
    logLevel: "silent",
    write: false,
    metafile: true,
  });

  mkdirSync(join(dist, "chunks"), { recursive: true });
  // Chunks before the entry, and each by rename: whoever starts Stoplog while this writes gets the old one or the new one.
  const files = result.outputFiles.toSorted((a, b) => Number(a.path === output) - Number(b.path === output));
  for (const file of files) replaceFile(file.path, file.contents);
  replaceFile(join(dist, "third-party-licenses.txt"), licenses(Object.keys(result.metafile.inputs)));
  const library = execFileSync(process.execPath, [output, "precompile"], { maxBuffer: 64 * 1024 * 1024 });
  replaceFile(join(dist, "filters.bin"), library);
  // What was edited while the build ran must count as newer than the build.
  utimesSync(output, started, started);
  removeOldChunks(
    new Set(files.map((file) => file.path)),
    clean ? Infinity : started.getTime() - keepOldChunksMs,
  );
}

/** @param {string} path @param {string | Uint8Array} contents */
function replaceFile(path, contents) {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, contents);
  renameSync(temporary, path);
}

/** @param {ReadonlySet<string>} current @param {number} before */
function removeOldChunks(current, before) {
  for (const name of readdirSync(join(dist, "chunks"))) {
    const path = join(dist, "chunks", name);
    const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
    if (!current.has(path) && changed < before) rmSync(path, { force: true });
  }
}

/** The bundled packages' licences ask that their text goes along. @param {readonly string[]} bundled */
function licenses(bundled) {
  const packages = new Set(
    bundled.flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []),
  );
  const texts = [...packages].sort().map((name) => {
    const folder = join(root, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((candidate) => /^licen[sc]e/i.test(candidate));
    const text = file === undefined ? "" : readFileSync(join(folder, file), "utf8").trim();
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  return `Packages that are part of this bundle\n\n${texts.join(`\n${"-".repeat(80)}\n\n`)}`;
}

if (isMain(import.meta.url)) {
  const clean = process.argv.includes("--clean");
  if (!clean && !process.argv.includes("--force") && isBuilt()) {
    console.error("dist/ is up to date.");
  } else {
    try {
      await build({ clean });
      console.error("Built dist/.");
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    }
  }
}

// @ts-check
// Bundles src/cli/main.ts and its imports into dist/. A bundle starts faster than two hundred modules, and an installed Stoplog
// needs no package but koffi, and zeromq where ØMQ is configured. Data (filters/) is not copied: it is read from the package's root.
//
//   node scripts/build.mjs           builds if a source is newer than dist/
//   node scripts/build.mjs --force   builds
//   node scripts/build.mjs --clean   builds and deletes what earlier builds left, for a package
//   node scripts/build.mjs --into FOLDER   builds into another folder of the checkout and leaves dist/ alone

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
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
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isMain } from "./run.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const entry = join(root, "src/cli/main.ts");
const dist = join(root, "dist");
/** In two parts: scripts/run-ts.mjs replaces the whole by a path, in strings too. */
const MODULE_URL = "import.meta" + ".url";

/** The bundle's inputs. ../stoplog has the same list: it compares times without starting Node. */
const inputs = ["src", "filters", "package.json", "package-lock.json", "scripts/build.mjs"];

/** Parts of the program that start as one file: loading it takes a fraction of the time of a hundred modules. */
const SINGLES = { daemon: "src/cli/start-daemon.ts", reader: "src/cli/commands/read-config.ts" };

/** Makes src/cli/main.ts load them from there. @type {import("esbuild").Plugin} */
const requireSingles = {
  name: "require-singles",
  setup(building) {
    building.onLoad({ filter: /\/src\/cli\/main\.ts$/ }, () => {
      let contents = readFileSync(entry, "utf8");
      for (const [name, source] of Object.entries(SINGLES)) {
        const specifier = source.replace(/^src\/cli\//, "./");
        const changed = contents.replace(`await import("${specifier}")`, `stoplogRequire("./${name}.cjs")`);
        if (changed === contents) throw new Error(`src/cli/main.ts does not import ${specifier}`);
        contents = changed;
      }
      return { contents, loader: "ts" };
    });
  },
};

/** Old chunks are kept this long: a running daemon may still load one of them. */
const keepOldChunksMs = 24 * 60 * 60 * 1000;

/** Newest change below a path. Folders count: only they show that a file was deleted. @param {string} path @returns {number} */
function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

export function isBuilt() {
  const built = statSync(join(dist, "stoplog.mjs"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return inputs.every((input) => newest(join(root, input)) <= built);
}

export async function build({ clean = false, into = dist } = {}) {
  if (!existsSync(entry))
    throw new Error(`There is nothing to build: ${relative(root, entry)} does not exist.`);
  const { build: bundle } = await import("esbuild");
  const started = new Date();
  const output = join(into, "stoplog.mjs");
  /** @type {import("esbuild").BuildOptions & { write: false, metafile: true }} */
  const common = {
    absWorkingDir: root,
    outdir: into,
    bundle: true,
    platform: "node",
    target: "node20.19",
    // They find their native parts beside their JavaScript, so they cannot be bundled.
    external: ["koffi", "zeromq"],
    sourcemap: true,
    sourcesContent: false,
    // Stack traces must be readable. keepNames is not needed: without minifying, functions keep their names.
    minify: false,
    legalComments: "none",
    logLevel: "silent",
    write: false,
    metafile: true,
  };
  const define = { STOPLOG_BUILD: JSON.stringify(hashOfSources()) };
  const whole = await bundle({
    ...common,
    entryPoints: { stoplog: entry },
    outExtension: { ".js": ".mjs" },
    chunkNames: "chunks/[name]-[hash]",
    // A dynamic import becomes a file of its own: `stoplog list` does not load the daemon.
    splitting: true,
    format: "esm",
    // CommonJS packages load Node's modules with require().
    banner: {
      js: `import { createRequire as stoplogCreateRequire } from "node:module"; const require = stoplogCreateRequire(${MODULE_URL}), stoplogRequire = require;`,
    },
    define,
    plugins: [requireSingles],
  });
  const single = await bundle({
    ...common,
    entryPoints: SINGLES,
    outExtension: { ".js": ".cjs" },
    format: "cjs",
    define: { ...define, [MODULE_URL]: "stoplogUrl" },
    // Comments and indentation are half of the text, which V8 keeps; and one character outside of Latin-1 in a comment doubles that. Names
    // stay, and short lines, so stack traces stay readable.
    minifyWhitespace: true,
    lineLimit: 120,
    banner: { js: 'const stoplogUrl = require("node:url").pathToFileURL(__filename).href;' },
  });

  mkdirSync(join(into, "chunks"), { recursive: true });
  // Chunks before the entry, each by rename: a start during the build gets the old bundle or the new one.
  const files = [...whole.outputFiles, ...single.outputFiles].toSorted(
    (a, b) => Number(a.path === output) - Number(b.path === output),
  );
  for (const file of files) replaceFile(file.path, file.contents);
  replaceFile(
    join(into, "third-party-licenses.txt"),
    licenses(Object.keys({ ...whole.metafile.inputs, ...single.metafile.inputs })),
  );
  // Predictable: how V8 writes an array depends on what its compiler and its garbage collector have done so far.
  const precompile = ["--predictable", output, "precompile"];
  const library = execFileSync(process.execPath, precompile, { maxBuffer: 64 * 1024 * 1024 });
  replaceFile(join(into, "filters.bin"), library);
  // Files edited during the build must be newer than the build.
  utimesSync(output, started, started);
  removeOldChunks(
    join(into, "chunks"),
    new Set(files.map((file) => file.path)),
    clean ? Infinity : started.getTime() - keepOldChunksMs,
  );
}

/** Distinguishes programs that may read a configuration differently. */
function hashOfSources() {
  const hash = createHash("sha256");
  const add = (/** @type {string} */ path) => {
    if (statSync(path).isDirectory()) for (const name of readdirSync(path).sort()) add(join(path, name));
    else if (!/\.test\.ts$|samples\.log$/.test(path))
      hash
        .update(`${relative(root, path)}\0`)
        .update(readFileSync(path))
        .update("\0");
  };
  for (const input of inputs) add(join(root, input));
  return hash.digest("hex").slice(0, 32);
}

/** @param {string} path @param {string | Uint8Array} contents */
function replaceFile(path, contents) {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, contents);
  renameSync(temporary, path);
}

/** @param {string} folder @param {ReadonlySet<string>} current @param {number} before */
function removeOldChunks(folder, current, before) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
    if (!current.has(path) && changed < before) rmSync(path, { force: true });
  }
}

/** The licences of bundled packages must be distributed with them. @param {readonly string[]} bundled */
export function licenses(bundled) {
  const packages = new Set(
    bundled.flatMap((path) => /^.*\bnode_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []),
  );
  const texts = [...packages].sort().map((path) => {
    const folder = join(root, path);
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((candidate) => /^licen[sc]e/i.test(candidate));
    if (file === undefined) throw new Error(`Cannot bundle ${name} ${version}: it has no licence file`);
    return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
  });
  return `Packages that are part of this bundle\n\n${texts.join(`\n${"-".repeat(80)}\n\n`)}`;
}

if (isMain(import.meta.url)) {
  const { clean, force, into } = parseArgs({
    options: { clean: { type: "boolean" }, force: { type: "boolean" }, into: { type: "string" } },
  }).values;
  if (!clean && !force && into === undefined && isBuilt()) {
    console.error("dist/ is up to date.");
  } else {
    try {
      await build(into === undefined ? { clean } : { clean: true, into: resolve(into) });
      console.error(`Built ${into ?? "dist/"}.`);
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    }
  }
}

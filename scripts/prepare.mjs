// @ts-check
// Makes a checkout ready to run: installs packages, builds dist/. Silent when there is nothing to do. Messages go to standard
// error: standard output belongs to the command that runs afterwards.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isMain, run } from "./run.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const lockfile = join(root, "package-lock.json");

/** Contains the hash of the installed lockfile; its time is that of the installation. */
const stamp = join(root, "node_modules/.stoplog-installed");

/** Written by npm at the end of every installation. */
const npmStamp = join(root, "node_modules/.package-lock.json");

/** @param {string} path */
const changed = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

const lockfileHash = () => createHash("sha256").update(readFileSync(lockfile)).digest("hex");

function isInstalled() {
  if (!existsSync(npmStamp)) return false;
  if (changed(stamp) >= changed(lockfile)) return true;
  // Switching branches touches the lockfile without changing it, and `npm install` writes no stamp. Neither is a reason to
  // replace node_modules under running programs.
  const same = existsSync(stamp) && readFileSync(stamp, "utf8") === lockfileHash();
  if (same || changed(npmStamp) >= changed(lockfile)) {
    writeFileSync(stamp, lockfileHash());
    return true;
  }
  return false;
}

/** Installs packages if node_modules is missing or older than the lockfile. @returns {Promise<boolean>} whether it succeeded */
export async function install() {
  if (isInstalled()) return true;
  console.error("Installing packages (npm ci) …");
  const { code, output } = await run("npm", ["ci", "--no-audit", "--no-fund"], { cwd: root });
  if (code !== 0) {
    // npm prints a page about its options after the error.
    console.error(output.split(/^npm error Clean install a project/m)[0]);
    return false;
  }
  writeFileSync(stamp, lockfileHash());
  return true;
}

/** @returns {Promise<boolean>} whether Stoplog can start */
export async function prepare() {
  if (!(await install())) return false;
  // Imported here: build.mjs needs esbuild, which install() has just installed.
  const { build, isBuilt } = await import("./build.mjs");
  if (isBuilt()) return true;
  console.error("Building …");
  try {
    await build();
    return true;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return false;
  }
}

if (isMain(import.meta.url) && !(await prepare())) process.exitCode = 1;

// @ts-check
// Makes a checkout ready to run: packages installed, dist/ built. Silent when there is nothing to do; otherwise says on
// standard error what it does, since standard output belongs to the command that is started afterwards.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isMain, run } from "./run.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const lockfile = join(root, "package-lock.json");

/** Holds the hash of the lockfile that was installed; its time says since when that holds. */
const stamp = join(root, "node_modules/.stoplog-installed");

/** Written by npm at the end of every installation. */
const npmStamp = join(root, "node_modules/.package-lock.json");

/** @param {string} path */
const changed = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

const lockfileHash = () => createHash("sha256").update(readFileSync(lockfile)).digest("hex");

function isInstalled() {
  if (!existsSync(npmStamp)) return false;
  if (changed(stamp) >= changed(lockfile)) return true;
  // Switching branches touches the lockfile without changing it, and `npm install` leaves no stamp of ours. Neither is worth
  // taking node_modules away from under whatever is running.
  const same = existsSync(stamp) && readFileSync(stamp, "utf8") === lockfileHash();
  if (same || changed(npmStamp) >= changed(lockfile)) {
    writeFileSync(stamp, lockfileHash());
    return true;
  }
  return false;
}

/** Installs packages if node_modules is missing or older than the lockfile. @returns {Promise<boolean>} whether all is well */
export async function install() {
  if (isInstalled()) return true;
  console.error("Installing packages (npm ci) …");
  const { code, output } = await run("npm", ["ci", "--no-audit", "--no-fund"], { cwd: root });
  if (code !== 0) {
    // npm follows a refusal with a page about its own options.
    console.error(output.split(/^npm error Clean install a project/m)[0]);
    return false;
  }
  writeFileSync(stamp, lockfileHash());
  return true;
}

/** @returns {Promise<boolean>} whether Stoplog can be started */
export async function prepare() {
  if (!(await install())) return false;
  // Imported only now: it is esbuild, which has just been installed, that it needs.
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

// @ts-check
// The Debian packages that tests need, and their installation without starting a service.
// Those with `for` are for other purposes: npm run test:arm.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { run } from "./run.mjs";

/**
 * @typedef {object} Package
 * @property {string} name
 * @property {string} why
 * @property {string[]} [units] services that the package enables for the next boot
 * @property {boolean} [unpack] unpacked into `unpackedAt(name)` and not installed: it conflicts with another package, or must not run on this machine
 * @property {string[]} [for] purposes; `tests` when absent
 */

/** Debian's installation scripts run it to learn whether they may start a service; 101 means no. */
const policy = "/usr/sbin/policy-rc.d";

/**
 * Installs the packages that are missing, as root and unless STOPLOG_NO_INSTALL=1; says each beforehand.
 *
 * @param {{ for: string, who: string, otherwise: string }} purpose `for` as in debian-packages.json; `who` needs them; `otherwise`: what happens without them
 * @param {(text: string) => void} say
 */
export async function providePackages({ for: purpose, who, otherwise }, say) {
  const missing = missingPackages(purpose);
  if (missing === undefined || missing.length === 0) return;
  const root = process.getuid?.() === 0;
  const allowed = process.env["STOPLOG_NO_INSTALL"] !== "1";
  say(
    root && allowed
      ? `Installing the Debian packages that ${who} need, or unpacking them into .cache/debian:`
      : `Debian packages that ${who} need are missing:`,
  );
  for (const { name, why } of missing) say(`  ${name}: ${why}`);
  if (!root || !allowed) {
    say(`  Not installed: ${allowed ? "needs root" : "STOPLOG_NO_INSTALL=1"}. ${otherwise}`);
    return;
  }
  const problem = await installPackages(missing);
  if (problem !== undefined) say(`${problem.trimEnd()}\n  Not installed. ${otherwise}`);
}

/** @param {string} purpose @returns {Package[] | undefined} undefined without dpkg */
function missingPackages(purpose) {
  /** @type {Package[]} */
  const all = JSON.parse(readFileSync(new URL("debian-packages.json", import.meta.url), "utf8"));
  const required = all.filter((each) => (each.for ?? ["tests"]).includes(purpose));
  const names = required.map(({ name }) => name);
  const query = spawnSync("dpkg-query", ["-W", "-f=${Package} ${db:Status-Status}\n", ...names], {
    encoding: "utf8",
  });
  if (query.error) return undefined;
  const installed = new Set(query.stdout.split("\n"));
  return required.filter(({ name, unpack }) =>
    unpack ? !existsSync(unpackedAt(name)) : !installed.has(`${name} installed`),
  );
}

/** The folder of an unpacked package and the libraries that it needs. @param {string} name */
export function unpackedAt(name) {
  return fileURLToPath(new URL(`../.cache/debian/${name}`, import.meta.url));
}

/**
 * @param {readonly Package[]} packages
 * @returns {Promise<string | undefined>} the error
 */
async function installPackages(packages) {
  const withdraw = forbidServices();
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const apt = (/** @type {string[]} */ ...args) =>
      run("apt-get", ["-q", "-o", "DPkg::Lock::Timeout=120", ...args], { env });
    // A stale package list may be good enough: only the installation decides.
    await apt("update");
    const names = packages.filter(({ unpack }) => !unpack).map(({ name }) => name);
    const { code, output } = await apt("install", "-y", "--no-install-recommends", ...names);
    if (code !== 0) return output;
    const units = packages.flatMap((each) => each.units ?? []);
    // Running the tests must not add services to this machine's next boot.
    if (units.length > 0) await run("systemctl", ["disable", "--quiet", ...units]);
    for (const { name, unpack } of packages) {
      const problem = unpack ? await unpackPackage(name) : undefined;
      if (problem !== undefined) return problem;
    }
    return undefined;
  } finally {
    withdraw();
  }
}

/**
 * Downloads a package and its missing dependencies and unpacks them into one folder; after an error there is no folder.
 *
 * @param {string} name
 * @returns {Promise<string | undefined>} the error
 */
async function unpackPackage(name) {
  const folder = unpackedAt(name);
  const beginning = `${folder}.new`;
  rmSync(beginning, { recursive: true, force: true });
  mkdirSync(beginning, { recursive: true });
  try {
    const plan = await run("apt-get", ["-q", "install", "--simulate", "--no-install-recommends", name]);
    const names = [...plan.output.matchAll(/^Inst (\S+)/gm)].map(([, each = ""]) => each);
    if (!names.includes(name)) return plan.output;
    const download = await run("apt-get", ["-q", "download", ...names], { cwd: beginning });
    if (download.code !== 0) return download.output;
    const script = 'for deb in *.deb; do dpkg-deb -x "$deb" . && rm "$deb" || exit 1; done';
    const unpacked = await run("sh", ["-c", script], { cwd: beginning });
    if (unpacked.code !== 0) return unpacked.output;
    renameSync(beginning, folder);
    return undefined;
  } finally {
    rmSync(beginning, { recursive: true, force: true });
  }
}

/** Keeps installations from starting services. An existing policy of the machine stays as it is. */
function forbidServices() {
  if (existsSync(policy)) return () => {};
  writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  const remove = () => rmSync(policy, { force: true });
  const interrupted = () => {
    remove();
    process.exit(130);
  };
  process.on("SIGINT", interrupted).on("SIGTERM", interrupted);
  return () => {
    remove();
    process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
  };
}

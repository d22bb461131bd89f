import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, it } from "vitest";
import { packageRoot } from "../../src/config/package-root.ts";
import { version } from "../../src/daemon/version.ts";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "stoplog-npm-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("npm install -g of the packed tarball gives a program that checks a configuration with the library's filters", async () => {
  // Without the script that builds: other tests use dist/, which is current.
  await run("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], { cwd: packageRoot() });
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "none";
  // Without koffi and zeromq, which come from the registry: this test needs no network.
  const options = ["--global", "--prefix", folder, "--omit=optional", "--offline", "--no-audit", "--no-fund"];
  await run("npm", ["install", ...options, join(folder, tarball)]);
  const stoplog = join(folder, "bin/stoplog");
  expect((await run(stoplog, ["--version"])).stdout).toBe(`${version}\n`);
  const config = join(folder, "stoplog.yaml");
  writeFileSync(
    config,
    "sources: { auth: { type: file, path: /var/log/auth.log } }\njails: { sshd: { sources: auth } }\n",
  );
  expect((await run(stoplog, ["check", "-c", config])).stdout).toContain("sshd");
  const installed = join(folder, "lib/node_modules/stoplog");
  expect(existsSync(join(installed, "dist/filters.bin"))).toBe(true);
  expect(readdirSync(join(installed, "filters/sshd"))).not.toContain("samples.log");
});

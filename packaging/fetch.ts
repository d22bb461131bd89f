import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../src/config/package-root.ts";

/** A package of the npm registry, with the hash that its archive must have. */
export interface Pinned {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
}

/** The version in package-lock.json, also of native parts for other processors than this one. */
export function locked(name: string): Pinned {
  const { packages } = readJson("package-lock.json") as {
    packages: Readonly<Record<string, Omit<Pinned, "name"> | undefined>>;
  };
  const entry = packages[`node_modules/${name}`];
  if (entry === undefined) throw new Error(`Cannot package ${name}: package-lock.json does not have it`);
  return { name, version: entry.version, integrity: entry.integrity };
}

/** Node for the standalone package. */
export function pinnedNode(name: string): Pinned {
  const { version, integrity } = readJson("packaging/node.json") as {
    version: string;
    integrity: Readonly<Record<string, string | undefined>>;
  };
  return { name, version, integrity: integrity[name] ?? "none" };
}

/** The folder with a package's unpacked files, below .cache/packages; downloads them once. */
export function fetchPackage({ name, version, integrity }: Pinned): string {
  const cache = join(packageRoot(), ".cache/packages");
  const folder = join(cache, `${name.replaceAll(/[@/]/g, "_")}-${version}`);
  if (existsSync(folder)) return join(folder, "package");
  const beginning = `${folder}.${process.pid}.new`;
  mkdirSync(beginning, { recursive: true });
  try {
    const pack = ["pack", `${name}@${version}`, "--json", "--pack-destination", beginning];
    const printed = JSON.parse(
      execFileSync("npm", pack, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
    ) as [{ filename: string }];
    const archive = join(beginning, printed[0].filename);
    const hash = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
    if (hash !== integrity)
      throw new Error(`Cannot package ${name} ${version}: its hash is ${hash}, not ${integrity}`);
    execFileSync("tar", ["-xzf", archive, "-C", beginning]);
    rmSync(archive);
    if (!existsSync(folder)) renameSync(beginning, folder);
  } finally {
    rmSync(beginning, { recursive: true, force: true });
  }
  return join(folder, "package");
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(packageRoot(), path), "utf8"));
}

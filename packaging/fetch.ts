import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { packageRoot } from "../src/config/package-root.ts";
import node from "./node.json" with { type: "json" };

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

/** Node in a version that packaging/node.json names; `npm view NAME@VERSION dist.integrity` prints the hash of another. */
export function pinnedNode(name: string, version: string = node.standalone): Pinned {
  const hashes: Readonly<Record<string, string | undefined>> = node.integrity;
  const integrity = hashes[`${name}@${version}`];
  if (integrity === undefined)
    throw new Error(`Cannot fetch ${name} ${version}: packaging/node.json has no hash for it`);
  return { name, version, integrity };
}

/** The folder with a package's unpacked files; downloads them once, checks their hash and unpacks them. */
export function fetchPackage(pinned: Pinned): string {
  const { name, version, integrity } = pinned;
  const files = packageFolder(pinned);
  const folder = dirname(files);
  if (existsSync(folder)) return files;
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
      throw new Error(`Cannot use ${name} ${version}: its hash is ${hash}, not ${integrity}`);
    execFileSync("tar", ["-xzf", archive, "-C", beginning]);
    rmSync(archive);
    if (!existsSync(folder)) renameSync(beginning, folder);
  } finally {
    rmSync(beginning, { recursive: true, force: true });
  }
  return files;
}

/** Where `fetchPackage` keeps the files. */
export function packageFolder({ name, version }: Pinned): string {
  const folder = `${name.replaceAll(/[@/]/g, "_")}-${version}`;
  return join(packageRoot(), ".cache/packages", folder, "package");
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(packageRoot(), path), "utf8"));
}

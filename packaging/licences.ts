import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../src/config/package-root.ts";
import type { Part } from "./sbom.ts";

/** A package's licence; the first line names both. Throws when there is no text. */
export function licenceOf(name: string, folder: string): string {
  const { version, license = "MIT" } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    version: string;
    license?: string;
  };
  const own = readdirSync(folder).filter((file) => /^licen[sc]e/i.test(file));
  const files = [...own.toSorted().map((file) => join(folder, file)), ...added(name)];
  if (files.length === 0) throw new Error(`Cannot package ${name} ${version}: it has no licence file`);
  const texts = files.map((file) => readFileSync(file, "utf8").trim());
  return [`${name} ${version} (${license})`, ...texts].join("\n\n");
}

/** The licences of a whole package: ours, those of its `parts`, and those of what is part of the bundle. */
export function allLicences(parts: readonly string[], inBundle: string): string {
  return [OWN_LICENCE, ...parts, inBundle.trim()].join(`\n\n${"-".repeat(80)}\n\n`);
}

/** By the first line of each licence. */
export function partsIn(licences: string): readonly Part[] {
  return [...licences.matchAll(/^(\S+) (\d+\.\d+\.\d+\S*) \((.+)\)$/gm)].map(
    ([, name = "", version = "", license = ""]) => ({ name, version, license }),
  );
}

/** Licences that a package does not contain itself: packaging/licences/NAME.txt, and those of libraries linked into its native part. */
function added(name: string): readonly string[] {
  const linked: Readonly<Record<string, readonly string[]>> = { zeromq: ["libsodium"] };
  return [name, ...(linked[name] ?? [])]
    .map((each) => join(packageRoot(), "packaging/licences", `${each}.txt`))
    .filter((file) => existsSync(file));
}

const OWN_LICENCE = `Copyright of Stoplog: its authors.

Licensed under the Apache License, version 2.0. You may obtain a copy of the licence at http://www.apache.org/licenses/LICENSE-2.0;
on Debian it is in /usr/share/common-licenses/Apache-2.0.

The package contains other programs, each under its own licence, which follows.`;

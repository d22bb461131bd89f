import { execFile } from "node:child_process";
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";

export type Release = "trixie" | "bookworm";

export const MIRROR = "http://deb.debian.org/debian";

export interface Debian {
  readonly release: Release;
  /** Besides the smallest system with apt. */
  readonly packages: readonly string[];
  /** This machine's own unless given. */
  readonly architecture?: string;
  /** The start of the command, for programs of another processor. */
  readonly prefix?: readonly string[];
}

/** Makes a tree of Debian from its archive; after an error there is none. */
export async function debootstrap(
  into: string,
  { release, packages, architecture, prefix = [] }: Debian,
): Promise<void> {
  const beginning = `${into}.${process.pid}.new`;
  mkdirSync(dirname(into), { recursive: true });
  try {
    const [program, ...args] = [
      ...prefix,
      "debootstrap",
      ...(architecture === undefined ? [] : [`--arch=${architecture}`]),
      "--variant=minbase",
      `--include=${packages.join()}`,
      release,
      beginning,
      MIRROR,
    ];
    await promisify(execFile)(program, args, { maxBuffer: 1 << 24 });
    renameSync(beginning, into);
  } finally {
    rmSync(beginning, { recursive: true, force: true });
  }
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../src/config/package-root.ts";
import { version } from "../src/daemon/version.ts";
import type { Architecture } from "./architectures.ts";

/** One package that is to be made. */
export interface Recipe {
  readonly architecture: Architecture;
  readonly standalone: boolean;
  readonly version: string;
  /** Counts the packages of one version: an upgrade needs a higher one. */
  readonly revision: number;
  /** Seconds since 1970: the time of every file. */
  readonly epoch: number;
  /** Hardly compressed: for tests. */
  readonly fast: boolean;
}

/** Folders that making a package uses. */
export interface Folders {
  /** For the trees of files; deleted at the end. */
  readonly work: string;
  /** What scripts/build.mjs has built. */
  readonly bundle: string;
  readonly out: string;
}

export function recipe(
  architecture: Architecture,
  standalone: boolean,
  revision: number,
  epoch: number,
): Recipe {
  return { architecture, standalone, version, revision, epoch, fast: false };
}

export function packageName({ standalone }: Recipe): string {
  return standalone ? "stoplog-standalone" : "stoplog";
}

export const SUMMARY = "bans attackers in the kernel's firewall";

/** Paragraphs of plain text. */
export function description({ standalone }: Recipe): readonly string[] {
  const { description: first } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as {
    description: string;
  };
  const common = [
    `${first}.`,
    "It follows files, the journal, syslog and packets, counts failures in bounded memory, and enforces bans through nftables, ipset, iptables, routes, hosts.deny or a proxy.",
  ];
  return standalone
    ? [...common, "This package brings a Node.js of its own, for systems whose Node.js is too old."]
    : common;
}

/** The address of Debian's Maintainer field; STOPLOG_MAINTAINER overrides it for packages that are published. */
export const MAINTAINER =
  process.env["STOPLOG_MAINTAINER"] ?? "Stoplog maintainers <maintainers@stoplog.invalid>";

import { existsSync } from "node:fs";
import { join } from "node:path";
import { fetchPackage, packageFolder, pinnedNode } from "../../packaging/fetch.ts";
import node from "../../packaging/node.json" with { type: "json" };

/** Versions of Node.js on which Stoplog must run besides the one of this process. */
export const NODE_VERSIONS: readonly string[] = node.tested;

/** The program `node` of this version, from npm's registry; downloaded once. */
export function fetchNode(version: string): { readonly path: string } | { readonly fault: string } {
  try {
    const pinned = pinnedNode(`node-linux-${process.arch}`, version);
    if (process.env["STOPLOG_NO_INSTALL"] === "1" && !existsSync(packageFolder(pinned)))
      return { fault: "STOPLOG_NO_INSTALL=1" };
    return { path: join(fetchPackage(pinned), "bin/node") };
  } catch (error) {
    return { fault: error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error) };
  }
}

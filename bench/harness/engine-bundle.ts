import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { atEnd } from "./leftovers.ts";

/** Stoplog's own folder. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

const engines = join(root, "bench/engines");
const folder = join(root, "node_modules/.cache/stoplog/bench");

const made = new Map<string, Promise<readonly string[]>>();

/**
 * The command that starts one of our engines: a file for Node, bundled like the daemon, so that no
 * measured process contains a compiler. Built once: all rounds run the same code.
 */
export function bundledEngine(name: string): Promise<readonly string[]> {
  const there = made.get(name);
  if (there !== undefined) return there;
  const making = bundle(name);
  made.set(name, making);
  return making;
}

async function bundle(name: string): Promise<readonly string[]> {
  const outfile = join(folder, `${name}-${process.pid}.mjs`);
  atEnd(() => rmSync(outfile, { force: true }));
  await build({
    absWorkingDir: root,
    entryPoints: [join(engines, `${name}.ts`)],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    packages: "external",
    logLevel: "error",
  });
  return [process.execPath, "--max-semi-space-size=1", outfile];
}

/** An engine in another language. */
export function engineFile(name: string): string {
  return join(engines, name);
}

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Stoplog's own folder. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

const engines = join(root, "bench/engines");
const folder = join(root, "node_modules/.cache/stoplog/bench");

/**
 * Makes a file of one of our engines that Node starts as it is, as the daemon's own bundle is made, so that no process that
 * is measured holds a compiler. Answers the command that starts it, with the launcher's options.
 */
export async function bundledEngine(name: string): Promise<readonly string[]> {
  const outfile = join(folder, `${name}.mjs`);
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

/** An engine that is a program in another language. */
export function engineFile(name: string): string {
  return join(engines, name);
}

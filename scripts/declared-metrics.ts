import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { packageRoot } from "../src/config/package-root.ts";
import type { MetricGroup } from "../src/core/metrics.ts";

/**
 * Loads every file of src/ that declares metrics, also files that the daemon loads only when configured, and returns all groups. Bundles
 * them first: Node 20 cannot load TypeScript.
 */
export async function allDeclaredMetrics(): Promise<readonly MetricGroup[]> {
  const root = packageRoot();
  const output = join(root, `node_modules/.cache/stoplog/metrics/${process.pid}-${performance.now()}.mjs`);
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .filter((name) => DECLARES.test(readFileSync(join(root, "src", name), "utf8")));
  const imports = files.map((name) => `import ${JSON.stringify(`./src/${name}`)};\n`).join("");
  try {
    await build({
      stdin: {
        contents: `${imports}export { declaredMetrics } from "./src/core/metrics.ts";`,
        resolveDir: root,
      },
      outfile: output,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20.19",
      packages: "external",
      logLevel: "error",
    });
    const { declaredMetrics } = (await import(pathToFileURL(output).href)) as {
      declaredMetrics: () => readonly MetricGroup[];
    };
    return declaredMetrics();
  } finally {
    rmSync(output, { force: true });
  }
}

const DECLARES = /^(?:export const \w+ = )?declareMetrics\(/m;

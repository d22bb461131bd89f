// Writes the generated pages: from the configuration's schema, the tables of limits and filter tags, and the tree of commands.
//
//   node scripts/run-ts.mjs scripts/generate-reference.ts            writes them
//   node scripts/run-ts.mjs scripts/generate-reference.ts --check    exits with 1 when one that is checked in is stale

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { openApi } from "../src/api/openapi.ts";
import { renderCliReference } from "../src/cli/reference.ts";
import { packageRoot } from "../src/config/package-root.ts";
import { referencePages } from "../src/config/reference.ts";
import { version } from "../src/daemon/version.ts";
import { checksPage } from "../src/doctor/reference.ts";
import { tagReference } from "../src/match/filter/tags/reference.ts";
import { metricsReference } from "../src/metrics/reference.ts";
import { allDeclaredMetrics } from "./declared-metrics.ts";

const check = process.argv.includes("--check");
const root = packageRoot();

const pages = [
  ...referencePages(),
  ["docs/reference/filter-tags.md", tagReference()],
  ["docs/reference/cli.md", renderCliReference()],
  ["docs/reference/metrics.md", metricsReference(await allDeclaredMetrics())],
  ["docs/reference/doctor-checks.md", checksPage()],
  ["docs/reference/openapi.json", `${JSON.stringify(openApi(version), null, 2)}\n`],
] as const;

for (const [path, text] of pages) {
  const file = join(root, path);
  if (text === current(file)) continue;
  if (check) {
    console.error(`${path} is stale; run node scripts/run-ts.mjs scripts/generate-reference.ts`);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    console.error(`Wrote ${path}.`);
  }
}

function current(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}

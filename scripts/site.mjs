// @ts-check
// npm run site: docs/ and the pages of the root as one site with a search, in packaging/site/dist. The generator (VitePress) is not among the
// packages that Stoplog is developed with: it is installed here, on request.

import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./run.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const site = join(root, "packaging/site");
const pages = join(site, "pages");

/** Pages of the root; README is the first page. */
const ROOT_PAGES = ["ARCHITECTURE", "CONTRIBUTING", "SECURITY", "CHANGELOG"];

rmSync(pages, { recursive: true, force: true });
mkdirSync(pages, { recursive: true });
cpSync(join(root, "docs"), pages, { recursive: true });
for (const name of [...ROOT_PAGES, "README"]) {
  // Their links lead to docs/, which is the root of the site.
  const text = readFileSync(join(root, `${name}.md`), "utf8").replaceAll("](docs/", "](");
  writeFileSync(join(pages, name === "README" ? "index.md" : `${name}.md`), text);
}
if (!existsSync(join(site, "node_modules/vitepress"))) {
  const installed = await run("npm", ["ci", "--no-audit", "--no-fund"], { cwd: site, show: true });
  if (installed.code !== 0) process.exit(1);
}
const built = await run("node_modules/.bin/vitepress", ["build"], { cwd: site, show: true });
process.exit(built.code === 0 ? 0 : 1);

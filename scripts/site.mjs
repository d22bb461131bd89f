// @ts-check
// npm run site: docs/ and the pages of the root as one site with a search, in packaging/site/dist. The generator (VitePress) is not among the
// packages that Stoplog is developed with: it is installed here, on request.

import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
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
renameSync(join(pages, "guide/README.md"), join(pages, "guide/index.md"));
for (const name of ["bench/README.md", "bench/BIAS.md", "filters/README.md"]) {
  mkdirSync(join(pages, name, ".."), { recursive: true });
  writeFileSync(join(pages, name), readFileSync(join(root, name), "utf8").replaceAll("](../docs/", "](../"));
}
for (const name of ["limits.md", "performance.md"]) {
  const text = readFileSync(join(pages, name), "utf8").replaceAll("](../", "](");
  writeFileSync(join(pages, name), text);
}
for (const name of [...ROOT_PAGES, "README"]) {
  // Their links lead to docs/, which is the root of the site.
  const text = readFileSync(join(root, `${name}.md`), "utf8")
    .replaceAll("](docs/", "](")
    .replaceAll("](guide/README.md", "](guide/index.md");
  writeFileSync(join(pages, name === "README" ? "index.md" : `${name}.md`), text);
}
const decisions = readdirSync(join(pages, "decisions")).map((name) => {
  const [, title] = /^# (.*)$/m.exec(readFileSync(join(pages, "decisions", name), "utf8")) ?? [];
  return `- [${title ?? name}](${name})`;
});
writeFileSync(join(pages, "decisions/index.md"), `# Decisions\n\n${decisions.join("\n")}\n`);
// Files that pages link to: VitePress copies the folder public as it is.
for (const folder of ["examples", "reference"]) {
  cpSync(join(root, "docs", folder), join(pages, "public", folder), {
    recursive: true,
    filter: (path) => !path.endsWith(".md"),
  });
}
cpSync(join(root, "bench/record"), join(pages, "public/bench/record"), { recursive: true });
if (!existsSync(join(site, "node_modules/vitepress"))) {
  const installed = await run("npm", ["ci", "--no-audit", "--no-fund"], { cwd: site, show: true });
  if (installed.code !== 0) process.exit(1);
}
const built = await run("node_modules/.bin/vitepress", ["build"], { cwd: site, show: true });
process.exit(built.code === 0 ? 0 : 1);

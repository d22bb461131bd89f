import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../src/config/package-root.ts";
import { commandPages } from "./man/commands.ts";
import { configurationPage } from "./man/configuration.ts";
import { type Contents, LIBRARY } from "./contents.ts";
import { packageName, type Recipe } from "./recipe.ts";
import { billOfMaterials } from "./sbom.ts";
import type { Tree } from "./tree.ts";

/**
 * Adds man pages, the changelog, the licences, the bill of materials, the guide, the reference and the examples, to the package's own folder below
 * usr/share/doc. Messages of the program name them as `docs` in its own folder.
 */
export function addDocuments(tree: Tree, { parts, licences }: Contents, recipe: Recipe): void {
  const folder = `usr/share/doc/${packageName(recipe)}`;
  for (const [name, text] of [...commandPages(), configurationPage()])
    tree.writeGzip(`usr/share/man/man${name.at(-1)}/${name}`, text);
  tree.writeGzip(`${folder}/changelog`, ours("CHANGELOG.md"));
  tree.write(`${folder}/sbom.cdx.json`, billOfMaterials(recipe, parts));
  tree.write(`${folder}/copyright`, `${licences}\n`);
  // The first line of the example names the schema beside its folder: editors find it there, as in the checkout.
  for (const part of ["examples", "guide", "reference"])
    tree.copyFolder(join(packageRoot(), "docs", part), `${folder}/${part}`, () => true);
  tree.copy(join(packageRoot(), "docs/limits.md"), `${folder}/limits.md`);
  tree.link(`${LIBRARY}/docs`, `../../share/doc/${packageName(recipe)}`);
}

function ours(path: string): string {
  return readFileSync(join(packageRoot(), path), "utf8");
}

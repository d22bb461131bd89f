import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/config/package-root.ts";
import { addContents, PROGRAMS } from "../contents.ts";
import { addDocuments } from "../documents.ts";
import { packageName, type Folders, type Recipe } from "../recipe.ts";
import { Tree } from "../tree.ts";
import { controlFile, debianChangelog, debianVersion } from "./control.ts";
import { packDeb } from "./pack.ts";

/** Makes a .deb and returns its path. */
export function makeDeb(recipe: Recipe, { work, bundle, out }: Folders): string {
  const name = packageName(recipe);
  const tree = new Tree(join(work, `${name}_${recipe.revision}_${recipe.architecture.debian}`));
  addDocuments(tree, addContents(tree, recipe, bundle), recipe);
  tree.writeGzip(`usr/share/doc/${name}/changelog.Debian`, debianChangelog(recipe));
  tree.write(`usr/share/lintian/overrides/${name}`, overrides(recipe));
  tree.settle(PROGRAMS, recipe.epoch);
  const file = join(out, `${name}_${debianVersion(recipe)}_${recipe.architecture.debian}.deb`);
  return packDeb(tree, file, recipe, (size) => ({
    control: controlFile(recipe, size),
    conffiles: "/etc/stoplog/stoplog.yaml\n",
    ...Object.fromEntries(
      ["preinst", "postinst", "prerm", "postrm"].map((script) => [script, scriptOf(script)]),
    ),
  }));
}

/** Reasons for what lintian would report. */
function overrides(recipe: Recipe): string {
  const own = recipe.standalone ? ours("overrides-standalone") : "";
  return `${ours("overrides")}${own}`.replaceAll("PACKAGE", packageName(recipe));
}

/** A maintainer script. */
function scriptOf(name: string): string {
  const removeBans = readFileSync(join(packageRoot(), "packaging/files/remove-bans.sh"), "utf8");
  return ours(name).replace("REMOVE_BANS\n", () => removeBans);
}

function ours(name: string): string {
  return readFileSync(join(packageRoot(), "packaging/debian", name), "utf8");
}

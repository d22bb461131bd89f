import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/config/package-root.ts";
import { addContents, PROGRAMS } from "../contents.ts";
import { addDocuments } from "../documents.ts";
import { type Folders, packageName, type Recipe } from "../recipe.ts";
import { Tree } from "../tree.ts";
import { specFile } from "./spec.ts";

/** Makes an .rpm and returns its path. */
export function makeRpm(recipe: Recipe, { work, bundle, out }: Folders): string {
  const name = packageName(recipe);
  const top = join(work, `rpm-${recipe.architecture.rpm}`);
  const tree = new Tree(join(top, "tree"));
  addDocuments(tree, addContents(tree, recipe, bundle), recipe);
  tree.move("usr/share/zsh/vendor-completions/_stoplog", "usr/share/zsh/site-functions/_stoplog");
  tree.settle(PROGRAMS, recipe.epoch);
  const removeBans = readFileSync(join(packageRoot(), "packaging/files/remove-bans.sh"), "utf8");
  const spec = join(top, "stoplog.spec");
  writeFileSync(spec, specFile(recipe, tree.folder, removeBans));
  const options = [
    "-bb",
    "--quiet",
    "--target",
    `${recipe.architecture.rpm}-linux`,
    "--define",
    `_topdir ${top}`,
  ];
  execFileSync("rpmbuild", [...options, spec], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(recipe.epoch) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const file = `${name}-${recipe.version}-${recipe.revision}.${recipe.architecture.rpm}.rpm`;
  mkdirSync(out, { recursive: true });
  copyFileSync(join(top, "RPMS", recipe.architecture.rpm, file), join(out, file));
  return join(out, file);
}

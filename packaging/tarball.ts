import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { addContents, PROGRAMS } from "./contents.ts";
import { addDocuments } from "./documents.ts";
import { type Folders, packageName, type Recipe } from "./recipe.ts";
import { Tree } from "./tree.ts";

/** Makes a tarball to unpack in the root folder, and returns its path. It has no folders, whose modes it would change, and no configuration. */
export function makeTarball(recipe: Recipe, { work, bundle, out }: Folders): string {
  const name = `${packageName(recipe)}_${recipe.version}-${recipe.revision}_${recipe.architecture.debian}`;
  const tree = new Tree(join(work, `tar-${name}`));
  addDocuments(tree, addContents(tree, recipe, bundle), recipe);
  tree.settle(PROGRAMS, recipe.epoch);
  mkdirSync(out, { recursive: true });
  const file = join(out, `${name}.tar.xz`);
  const paths = [...tree.files(), "usr/bin/stoplog"].filter((path) => !path.startsWith("etc/"));
  const owner = ["--owner=root:0", "--group=root:0", "--numeric-owner", "--format=gnu"];
  execFileSync(
    "tar",
    [
      "-C",
      tree.folder,
      ...owner,
      "-I",
      recipe.fast ? "xz -0 -T1" : "xz -1 -T1",
      "-cf",
      file,
      "--files-from=-",
    ],
    {
      input: paths.join("\n"),
      stdio: ["pipe", "ignore", "inherit"],
    },
  );
  return file;
}

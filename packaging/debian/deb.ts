import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/config/package-root.ts";
import { addContents, PROGRAMS } from "../contents.ts";
import { addDocuments } from "../documents.ts";
import { packageName, type Folders, type Recipe } from "../recipe.ts";
import { Tree } from "../tree.ts";
import { controlFile, debianChangelog, debianVersion } from "./control.ts";

/** Makes a .deb and returns its path. */
export function makeDeb(recipe: Recipe, { work, bundle, out }: Folders): string {
  const name = packageName(recipe);
  const tree = new Tree(join(work, `${name}_${recipe.revision}_${recipe.architecture.debian}`));
  addDocuments(tree, addContents(tree, recipe, bundle), recipe);
  tree.writeGzip(`usr/share/doc/${name}/changelog.Debian`, debianChangelog(recipe));
  tree.write(`usr/share/lintian/overrides/${name}`, overrides(recipe));
  tree.settle(PROGRAMS, recipe.epoch);
  addControl(tree, recipe);
  mkdirSync(out, { recursive: true });
  const file = join(out, `${name}_${debianVersion(recipe)}_${recipe.architecture.debian}.deb`);
  // xz: Debian 11 cannot read zstd. Level 6 is 14 % smaller than level 1 and takes five times as long. Threads would change the bytes.
  const compression = [recipe.fast ? "-Zgzip" : "-Zxz", "-z1", "--threads-max=1"];
  execFileSync("dpkg-deb", ["--root-owner-group", ...compression, "--build", tree.folder, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(recipe.epoch) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return file;
}

/** Adds the folder DEBIAN, which is not installed. */
function addControl(tree: Tree, recipe: Recipe): void {
  const files = tree.files();
  const bytes = files.map((path) => ({ path, content: readFileSync(join(tree.folder, path)) }));
  const size = bytes.reduce((sum, { content }) => sum + Math.ceil(content.length / 1024), 0);
  const sums = bytes.map(
    ({ path, content }) => `${createHash("md5").update(content).digest("hex")}  ${path}\n`,
  );
  const control = {
    control: controlFile(recipe, size),
    conffiles: "/etc/stoplog/stoplog.yaml\n",
    md5sums: sums.join(""),
    ...Object.fromEntries(["postinst", "prerm", "postrm"].map((name) => [name, script(name)])),
  };
  const folder = join(tree.folder, "DEBIAN");
  mkdirSync(folder);
  for (const [name, text] of Object.entries(control)) {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), text.startsWith("#!") ? 0o755 : 0o644);
    utimesSync(join(folder, name), recipe.epoch, recipe.epoch);
  }
  chmodSync(folder, 0o755);
  for (const place of [folder, tree.folder]) utimesSync(place, recipe.epoch, recipe.epoch);
}

/** Reasons for what lintian would report. */
function overrides(recipe: Recipe): string {
  const own = recipe.standalone ? ours("overrides-standalone") : "";
  return `${ours("overrides")}${own}`.replaceAll("PACKAGE", packageName(recipe));
}

/** A maintainer script. */
function script(name: string): string {
  const removeBans = readFileSync(join(packageRoot(), "packaging/files/remove-bans.sh"), "utf8");
  return ours(name).replace("REMOVE_BANS\n", () => removeBans);
}

function ours(name: string): string {
  return readFileSync(join(packageRoot(), "packaging/debian", name), "utf8");
}

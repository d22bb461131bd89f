import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Recipe } from "../recipe.ts";
import type { Tree } from "../tree.ts";

/** Packs a settled tree as a .deb, and returns its path. `control` makes the files of the folder DEBIAN; `size` is in KiB. */
export function packDeb(
  tree: Tree,
  file: string,
  { epoch, fast }: Pick<Recipe, "epoch" | "fast">,
  control: (size: number) => Readonly<Record<string, string>>,
): string {
  addControl(tree, epoch, control);
  mkdirSync(dirname(file), { recursive: true });
  // xz: Debian 11 cannot read zstd. Level 6 is 14 % smaller than level 1 and takes five times as long. Threads would change the bytes.
  const compression = [fast ? "-Zgzip" : "-Zxz", "-z1", "--threads-max=1"];
  execFileSync("dpkg-deb", ["--root-owner-group", ...compression, "--build", tree.folder, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return file;
}

/** Adds the folder DEBIAN, which is not installed. */
function addControl(
  tree: Tree,
  epoch: number,
  control: (size: number) => Readonly<Record<string, string>>,
): void {
  const bytes = tree.files().map((path) => ({ path, content: readFileSync(join(tree.folder, path)) }));
  const size = bytes.reduce((sum, { content }) => sum + Math.ceil(content.length / 1024), 0);
  const sums = bytes.map(
    ({ path, content }) => `${createHash("md5").update(content).digest("hex")}  ${path}\n`,
  );
  const folder = join(tree.folder, "DEBIAN");
  mkdirSync(folder);
  for (const [name, text] of Object.entries({ ...control(size), md5sums: sums.join("") })) {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), text.startsWith("#!") ? 0o755 : 0o644);
    utimesSync(join(folder, name), epoch, epoch);
  }
  chmodSync(folder, 0o755);
  for (const place of [folder, tree.folder]) utimesSync(place, epoch, epoch);
}

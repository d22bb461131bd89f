import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../src/config/package-root.ts";
import { SCRIPTS } from "../src/cli/completion/scripts.ts";
import type { Architecture } from "./architectures.ts";
import { fetchPackage, locked, pinnedNode } from "./fetch.ts";
import { allLicences, licenceOf, partsIn } from "./licences.ts";
import type { Recipe } from "./recipe.ts";
import type { Part } from "./sbom.ts";
import type { Tree } from "./tree.ts";

/** Where the program is. */
export const LIBRARY = "usr/lib/stoplog";

/** Paths that can be executed. */
export const PROGRAMS: ReadonlySet<string> = new Set([`${LIBRARY}/bin/stoplog`, `${LIBRARY}/bin/node`]);

/** What a package contains besides Stoplog. */
export interface Contents {
  readonly parts: readonly Part[];
  /** Their licences, and ours. */
  readonly licences: string;
}

/** Fills a tree with what every package installs. */
export function addContents(tree: Tree, { architecture, standalone }: Recipe, bundle: string): Contents {
  const root = packageRoot();
  for (const file of ["package.json", "bin/stoplog"]) tree.copy(join(root, file), `${LIBRARY}/${file}`);
  tree.copyFolder(bundle, `${LIBRARY}/dist`, (file) => !/\.(map|txt|tmp)$/.test(file));
  tree.copyFolder(
    join(root, "filters"),
    `${LIBRARY}/filters`,
    (file) => !/samples\.log$|README\.md$/.test(file),
  );
  tree.link("usr/bin/stoplog", "../lib/stoplog/bin/stoplog");
  tree.copy(join(root, "packaging/stoplog.service"), "usr/lib/systemd/system/stoplog.service");
  tree.copy(join(root, "packaging/files/stoplog.sysusers"), "usr/lib/sysusers.d/stoplog.conf");
  tree.copy(join(root, "packaging/files/stoplog.tmpfiles"), "usr/lib/tmpfiles.d/stoplog.conf");
  tree.copy(join(root, "packaging/files/stoplog.yaml"), "etc/stoplog/stoplog.yaml");
  tree.write("usr/share/bash-completion/completions/stoplog", SCRIPTS.bash);
  tree.write("usr/share/zsh/vendor-completions/_stoplog", SCRIPTS.zsh);
  tree.write("usr/share/fish/vendor_completions.d/stoplog.fish", SCRIPTS.fish);
  const parts = [
    ...addKoffi(tree, architecture),
    ...addZeroMq(tree, architecture),
    ...(standalone ? addNode(tree, architecture) : []),
  ];
  const licences = allLicences(parts, readFileSync(join(bundle, "third-party-licenses.txt"), "utf8"));
  return { parts: partsIn(licences), licences };
}

function addKoffi(tree: Tree, { koffi, strip }: Architecture): readonly string[] {
  const native = `@koromix/koffi-${koffi}`;
  const [common, own] = [fetchPackage(locked("koffi")), fetchPackage(locked(native))];
  const to = `${LIBRARY}/node_modules`;
  for (const file of ["package.json", "index.cjs", "src/koffi/index.cjs", "src/koffi/src/static.cjs"])
    tree.copy(join(common, file), `${to}/koffi/${file}`);
  for (const file of ["package.json", "index.js"]) tree.copy(join(own, file), `${to}/${native}/${file}`);
  // linux_x64, linux_armhf; the folder beside it is for musl.
  const [folder] = readdirSync(own).filter((name) => name.startsWith("linux_"));
  const part = `${folder}/koffi.node`;
  tree.copyStripped(join(own, part), `${to}/${native}/${part}`, strip);
  return [licenceOf("koffi", common)];
}

function addZeroMq(tree: Tree, { zeromq, strip }: Architecture): readonly string[] {
  if (zeromq === null) return [];
  const [from, loader] = [fetchPackage(locked("zeromq")), fetchPackage(locked("cmake-ts"))];
  const to = `${LIBRARY}/node_modules`;
  tree.copy(join(from, "package.json"), `${to}/zeromq/package.json`);
  tree.copyFolder(
    join(from, "lib"),
    `${to}/zeromq/lib`,
    (file) => file.endsWith(".js") && !file.startsWith("ts3.7"),
  );
  tree.copyStripped(join(from, "build/linux", zeromq), `${to}/zeromq/build/linux/${zeromq}`, strip);
  const manifest = JSON.parse(readFileSync(join(from, "build/manifest.json"), "utf8")) as Readonly<
    Record<string, string>
  >;
  const kept = Object.entries(manifest).filter(([, path]) => path === `linux/${zeromq}`);
  tree.write(`${to}/zeromq/build/manifest.json`, JSON.stringify(Object.fromEntries(kept)));
  for (const file of ["package.json", "build/loader.js"])
    tree.copy(join(loader, file), `${to}/cmake-ts/${file}`);
  return [licenceOf("zeromq", from), licenceOf("cmake-ts", loader)];
}

function addNode(tree: Tree, { node, strip, debian }: Architecture): readonly string[] {
  if (node === null)
    throw new Error(`Cannot make a standalone package for ${debian}: no maintained Node is prebuilt`);
  const from = fetchPackage(pinnedNode(node));
  tree.copyStripped(join(from, "bin/node"), `${LIBRARY}/bin/node`, strip);
  return [licenceOf("node", from)];
}

/** Seconds since 1970 of the last commit, or SOURCE_DATE_EPOCH: the time of every file. */
export function sourceDate(): number {
  const given = process.env["SOURCE_DATE_EPOCH"];
  if (given !== undefined && /^\d+$/.test(given)) return Number(given);
  const printed = execFileSync("git", ["log", "-1", "--format=%ct"], {
    cwd: packageRoot(),
    encoding: "utf8",
  });
  return Number(printed);
}

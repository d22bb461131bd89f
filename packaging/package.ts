// npm run package: makes Debian packages, an .rpm and a tarball in packages/, with the same bytes each time.
//
//   npm run package                              all of them
//   npm run package -- --only stoplog_amd64,…    those whose file names begin so
//   npm run package -- --format deb              of these kinds: deb, rpm, tar; the last two only of the standalone package
//   npm run package -- --revision 2 --out DIR    a later package of the same version (1,2: both); another folder
//   npm run package -- --fast                    larger ones, packed in a fifth of the time: for tests

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { packageRoot } from "../src/config/package-root.ts";
import { ARCHITECTURES } from "./architectures.ts";
import { sourceDate } from "./contents.ts";
import { makeDeb } from "./debian/deb.ts";
import { FAIL2BAN_NAME, makeFail2banDeb } from "./debian/fail2ban.ts";
import { makeRpm } from "./rpm/rpm.ts";
import { makeTarball } from "./tarball.ts";
import { type Folders, packageName, recipe, type Recipe } from "./recipe.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    format: { type: "string", default: "deb,rpm,tar" },
    revision: { type: "string", default: "1" },
    out: { type: "string", default: "packages" },
    fast: { type: "boolean", default: false },
  },
});
const out = resolve(values.out);
// In the checkout: the build looks for the filters above its own folder.
mkdirSync(join(packageRoot(), ".cache"), { recursive: true });
const work = mkdtempSync(join(packageRoot(), ".cache/package-"));

try {
  const bundle = join(work, "dist");
  execFileSync(process.execPath, [join(packageRoot(), "scripts/build.mjs"), "--into", bundle], {
    stdio: "inherit",
  });
  const isWanted = (name: string): boolean => values.only.split(",").some((start) => name.startsWith(start));
  const report = (file: string): void =>
    void process.stdout.write(
      `${relative(process.cwd(), file)}  ${(statSync(file).size / 1e6).toFixed(1)} MB\n`,
    );
  for (const each of recipes()) {
    const name = `${packageName(each)}_${each.architecture.debian}`;
    if (!isWanted(name)) continue;
    for (const make of makers(each, values.format)) report(make(each, { work, bundle, out }));
  }
  if (isWanted(`${FAIL2BAN_NAME}_all`) && values.format.split(",").includes("deb"))
    for (const each of oneOfEachRevision()) report(makeFail2banDeb(each, { work, bundle, out }));
} finally {
  rmSync(work, { recursive: true, force: true });
}

function recipes(): readonly Recipe[] {
  const [revisions, epoch] = [values.revision.split(",").map(Number), sourceDate()];
  return ARCHITECTURES.flatMap((architecture) => {
    const kinds = architecture.node === null ? [false] : [false, true];
    return kinds.flatMap((standalone) =>
      revisions.map((revision) => ({
        ...recipe(architecture, standalone, revision, epoch),
        fast: values.fast,
      })),
    );
  });
}

/** For the package that is the same for every architecture. */
function oneOfEachRevision(): readonly Recipe[] {
  const [first] = recipes();
  return recipes().filter(
    ({ architecture, standalone }) => architecture === first?.architecture && standalone === first.standalone,
  );
}

function makers(
  { standalone }: Recipe,
  formats: string,
): readonly ((recipe: Recipe, folders: Folders) => string)[] {
  const chosen = formats.split(",");
  return [
    ...(chosen.includes("deb") ? [makeDeb] : []),
    ...(standalone && chosen.includes("rpm") ? [makeRpm] : []),
    ...(standalone && chosen.includes("tar") ? [makeTarball] : []),
  ];
}

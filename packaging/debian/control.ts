import { description, MAINTAINER, packageName, type Recipe, SUMMARY } from "../recipe.ts";

/** The file DEBIAN/control; `size` in KiB. */
export function controlFile(recipe: Recipe, size: number): string {
  const { standalone, architecture } = recipe;
  const other = standalone ? "stoplog" : "stoplog-standalone";
  const fields = {
    Package: packageName(recipe),
    Version: debianVersion(recipe),
    Architecture: architecture.debian,
    Maintainer: MAINTAINER,
    "Installed-Size": String(size),
    "Pre-Depends": "init-system-helpers (>= 1.54~)",
    Depends: [
      "libc6 (>= 2.28)",
      "libgcc-s1",
      "libstdc++6 (>= 9)",
      "systemd | systemd-standalone-sysusers | systemd-sysusers",
      ...(standalone ? [] : ["nodejs (>= 20.19)"]),
    ].join(", "),
    // journalctl reads the journal; nft shows the rules, but Stoplog does not need it.
    Recommends: "systemd",
    Suggests: "nftables",
    // Both: dpkg puts one in the place of the other in one step, and the bans stay.
    Conflicts: other,
    Replaces: other,
    Section: "net",
    Priority: "optional",
    Description: [SUMMARY, ...paragraphs(description(recipe))].join("\n"),
  };
  return Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join("");
}

export function debianVersion({ version, revision }: Recipe): string {
  return `${version}-${revision}`;
}

/** Debian's own changelog; that of the program is changelog.gz. */
export function debianChangelog(recipe: Recipe): string {
  const date = new Date(recipe.epoch * 1000).toUTCString().replace("GMT", "+0000");
  return [
    `${packageName(recipe)} (${debianVersion(recipe)}) unstable; urgency=medium`,
    "  * Packaged from the revision of this date; changelog.gz has the changes.",
    ` -- ${MAINTAINER}  ${date}\n`,
  ].join("\n\n");
}

function paragraphs(texts: readonly string[]): readonly string[] {
  return texts.flatMap((text, index) => [
    ...(index > 0 ? [" ."] : []),
    ...wrapped(text).map((line) => ` ${line}`),
  ]);
}

function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length > 76) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

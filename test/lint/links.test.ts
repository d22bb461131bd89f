import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../../src/config/package-root.ts";

const pages = execFileSync("git", ["ls-files", "-z", "*.md"], { cwd: packageRoot(), encoding: "utf8" })
  .split("\0")
  .filter((path) => path !== "");

/** Markdown without code, in which brackets mean something else. */
function proseOf(path: string): string {
  return readFileSync(join(packageRoot(), path), "utf8")
    .replaceAll(/^(?:```|~~~)[\s\S]*?^(?:```|~~~)/gm, "")
    .replaceAll(/^(?: {4}|\t).*$/gm, "")
    .replaceAll(/`[^`\n]*`/g, "");
}

/** Anchors as GitHub makes them from headings: lower case, without punctuation, hyphens for blanks; numbered when they repeat. */
function anchorsIn(path: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  const text = readFileSync(join(packageRoot(), path), "utf8").replaceAll(/^```[\s\S]*?^```/gm, "");
  for (const [, heading = ""] of text.matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = words.replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, "").replaceAll(" ", "-");
    let name = anchor;
    for (let again = 1; anchors.has(name); again++) name = `${anchor}-${again}`;
    anchors.add(name);
  }
  for (const [, id = ""] of text.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id);
  return anchors;
}

describe("links between the documents", () => {
  it.each(pages)("%s names files and headings that exist", (page) => {
    const broken: string[] = [];
    for (const [, link = ""] of proseOf(page).matchAll(/\]\(([^()\s]+(?:\([^()]*\))?)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [file = "", anchor] = link.split("#");
      const path = file === "" ? page : normalize(join(dirname(page), file));
      const place = join(packageRoot(), path);
      if (!existsSync(place)) broken.push(`${link}: there is no ${path}`);
      else if (anchor !== undefined && statSync(place).isFile() && !anchorsIn(path).has(anchor))
        broken.push(`${link}: ${path} has no such heading`);
    }
    expect(broken).toEqual([]);
  });

  it("finds links", () => {
    expect(pages.filter((page) => proseOf(page).includes("](")).length).toBeGreaterThan(15);
    expect(anchorsIn("docs/guide/service.md")).toContain("who-may-write-the-configuration");
  });
});

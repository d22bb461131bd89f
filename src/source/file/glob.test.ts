import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, matchesGlob } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findFiles } from "./find-files.ts";
import { type Glob, parseGlob } from "./glob.ts";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "stoplog-glob-"));
  for (const path of [
    "auth.log",
    "auth.log.1",
    "mail.err",
    "a*b",
    "[x]",
    "nginx/access.log",
    "nginx/b.log",
  ]) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), "");
  }
  for (const path of [
    "sites/one/logs/access.log",
    "sites/two/logs/access.log",
    "sites/two/.hidden/access.log",
  ]) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), "");
  }
  symlinkSync(root, join(root, "sites/loop"));
});
afterAll(() => rmSync(root, { recursive: true }));

function found(...patterns: string[]): string[] {
  const globs = patterns.map((pattern) => parseGlob(join(root, pattern)) as Glob);
  return findFiles(globs).paths.map((path) => path.slice(root.length + 1));
}

describe("a glob", () => {
  it.each([
    ["auth.log", ["auth.log"]],
    ["*.log", ["auth.log"]],
    ["auth.log*", ["auth.log", "auth.log.1"]],
    ["auth.lo?", ["auth.log"]],
    ["{auth.log,mail.err,none}", ["auth.log", "mail.err"]],
    ["auth.log{,.1}", ["auth.log", "auth.log.1"]],
    ["[n-z]*.err", []],
    ["[a-m]*.err", ["mail.err"]],
    ["[!a]*.err", ["mail.err"]],
    ["a\\*b", ["a*b"]],
    ["[[]x]", ["[x]"]],
    ["nginx/{access,b}.log", ["nginx/access.log", "nginx/b.log"]],
    ["sites/*/logs/access.log", ["sites/one/logs/access.log", "sites/two/logs/access.log"]],
    ["sites/**/access.log", ["sites/one/logs/access.log", "sites/two/logs/access.log"]],
    ["**/b.log", ["nginx/b.log"]],
    ["sites/two/.*/access.log", ["sites/two/.hidden/access.log"]],
  ])("%s finds %j", (pattern, paths) => {
    expect(found(pattern)).toEqual(paths);
  });

  it("lists a file once when two patterns match it", () => {
    expect(found("auth.log", "*.log")).toEqual(["auth.log"]);
  });

  it("is rejected when it is relative, or expands to too many paths", () => {
    expect(parseGlob("auth.log")).toBe("the path must begin with /");
    expect(parseGlob(`/${"{a,b}".repeat(9)}`)).toBe("braces may expand to at most 256 paths");
  });

  it("lists the folder in which the file would appear, or the nearest existing parent", () => {
    const folders = (pattern: string) => findFiles([parseGlob(join(root, pattern)) as Glob]).folders;
    expect(folders("missing.log")).toEqual([root]);
    expect(folders("gone/deeper/missing.log")).toEqual([root]);
    expect(folders("auth.log")).toEqual([]);
    expect(folders("nginx/*.log")).toEqual([join(root, "nginx")]);
  });

  it("takes time proportional to the lengths of pattern and name", () => {
    const glob = parseGlob(`/${"*a".repeat(200)}b`) as Glob;
    const part = glob.ways[0]![0]!;
    expect(part.kind === "pattern" && part.matches("a".repeat(5000))).toBe(false);
  });

  // Node's own globs are experimental: not for production code, but good enough as a reference.
  it.skipIf(matchesGlob === undefined)("agrees with Node's own matcher on one name", () => {
    const name = fc.string({ unit: fc.constantFrom("a", "b", "c", "-"), minLength: 1, maxLength: 6 });
    const pattern = fc
      .array(fc.constantFrom("a", "b", "c", "*", "?", "[ab]", "[!a]", "{a,bc}"), {
        minLength: 1,
        maxLength: 5,
      })
      .map((parts) => parts.join(""))
      .filter((text) => !text.includes("**"));
    fc.assert(
      fc.property(pattern, name, (text, candidate) => {
        const { ways } = parseGlob(`/${text}`) as Glob;
        const mine = ways.some(([part]) =>
          part?.kind === "pattern"
            ? part.matches(candidate)
            : part?.kind === "name" && part.name === candidate,
        );
        expect(mine).toBe(matchesGlob(`/${candidate}`, `/${text}`));
      }),
    );
  });
});

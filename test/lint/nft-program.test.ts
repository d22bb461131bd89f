import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const SRC = new URL("../../src/", import.meta.url).pathname;

/** A source file may name the program in messages; to run it, it must import what runs it or give its name to a runner. */
const RUNS_NFT = [
  /from "[./]*nft-program\/(?:program|commit|enforcer)\.ts"/,
  /import\("[./]*nft-program\/(?:program|commit|enforcer)\.ts"\)/,
  /\b(?:spawn|spawnSync|execFile|execFileSync|exec|execSync|execute|runProgram|run)\([^;]*?["'`](?:[^"'`\s]*\/)?nft["'`\s]/,
  /\bnftProgram\(/,
];

/** Files that may run `nft`, and why. */
const MAY: Readonly<Record<string, string>> = {
  "enforce/nft-program/": "the fallback enforcer, for machines without koffi",
  "doctor/this-host.ts":
    "lists the tables, for a check whether fail2ban's are left; doctor loads no kernel code",
  "demo/guard.ts": "lists the kernel's sets with a program that knows nothing of Stoplog, as a witness",
};

test("only the fallback enforcer runs the nft program", () => {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !file.endsWith(".test.ts"),
  );
  const running = files.filter((file) => {
    const text = readFileSync(join(SRC, file), "utf8");
    return RUNS_NFT.some((pattern) => pattern.test(text));
  });
  expect(running.filter((file) => !Object.keys(MAY).some((may) => file.startsWith(may)))).toEqual([]);
  // Each exception is one that is needed.
  for (const may of Object.keys(MAY)) expect(running.some((file) => file.startsWith(may))).toBe(true);
});

test("the patterns see each way to run it", () => {
  for (const text of [
    'import { nftProgram } from "../nft-program/program.ts";',
    'await import("../nft-program/enforcer.ts")',
    'spawn("nft", ["-f", "-"])',
    "execute(`/usr/sbin/nft`, [], script)",
    'stage.run("server", ["nft", "-j", "list"])',
    'execSync("nft list ruleset")',
  ])
    expect(RUNS_NFT.some((pattern) => pattern.test(text))).toBe(true);
  expect(RUNS_NFT.some((pattern) => pattern.test('needs: { instead: "nft" }'))).toBe(false);
});

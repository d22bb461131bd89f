import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nativeFault } from "../kernel/native/libc.ts";
import type { EnforcerKind } from "./kind.ts";
import { ENFORCER_KINDS, kindNamed } from "./kinds.ts";
import { nftables } from "./nftables/kind.ts";

describe("the kinds of enforcer", () => {
  it("open what they are named after", async () => {
    const said: string[] = [];
    const native = new Set<EnforcerKind>([nftables]);
    const opened = await Promise.all(
      ENFORCER_KINDS.filter((kind) => nativeFault() === null || !native.has(kind)).map(async (kind) => [
        kind.name,
        (await kind.open((sentence) => said.push(sentence))).kind,
      ]),
    );
    expect(opened.map(([, kind]) => kind)).toEqual(opened.map(([name]) => name));
    expect(said).toEqual([]);
  });

  it("are found by their name, and by no other word", () => {
    expect(ENFORCER_KINDS.map(({ name }) => kindNamed(name))).toEqual(ENFORCER_KINDS);
    expect(() => kindNamed("toString")).toThrow("Cannot enforce by toString: it is not a kind of enforcer");
  });

  describe("where koffi is not installed", () => {
    const folder = mkdtempSync(join(tmpdir(), "stoplog-"));

    // A bundle in a folder from which no node_modules is found.
    beforeAll(async () => {
      await build({
        stdin: {
          contents: `
            import { nftables } from "./nftables/kind.ts";
            const said = [];
            nftables.open((sentence) => said.push(sentence)).then(
              ({ kind }) => console.log(JSON.stringify([kind, ...said])),
              ({ name, message }) => console.log(JSON.stringify([name, message])),
            );`,
          resolveDir: fileURLToPath(new URL(".", import.meta.url)),
          loader: "ts",
        },
        bundle: true,
        platform: "node",
        format: "esm",
        external: ["koffi"],
        outfile: join(folder, "program.mjs"),
      });
      writeFileSync(join(folder, "nft"), "#!/bin/sh\n");
      chmodSync(join(folder, "nft"), 0o755);
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    const run = (path: string): unknown =>
      JSON.parse(
        spawnSync(process.execPath, [join(folder, "program.mjs")], { encoding: "utf8", env: { PATH: path } })
          .stdout,
      );

    it("falls back to the nft program and says so", () => {
      expect(run(folder)).toEqual([
        "nft",
        "Cannot load koffi: it is not installed; bans go through the nft program instead, which is slower",
      ]);
    });

    it("says why neither works, in one sentence, where nft is missing too", () => {
      expect(run("/nonexistent")).toEqual([
        "StoplogError",
        "Cannot use nftables: cannot load koffi: it is not installed, and the nft program is not installed",
      ]);
    });
  });
});

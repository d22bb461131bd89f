import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nativeFault } from "../kernel/native/libc.ts";
import { openEnforcer } from "./open-enforcer.ts";

describe("openEnforcer", () => {
  it("gives each kind its own", async () => {
    const said: string[] = [];
    const kinds = [];
    for (const kind of ["nft", "dry-run"] as const)
      kinds.push((await openEnforcer(kind, (s) => said.push(s))).kind);
    if (nativeFault() === null) kinds.push((await openEnforcer("nftables", (s) => said.push(s))).kind);
    expect(kinds).toEqual(nativeFault() === null ? ["nft", "dry-run", "nftables"] : ["nft", "dry-run"]);
    expect(said).toEqual([]);
  });

  describe("where koffi is not installed", () => {
    const folder = mkdtempSync(join(tmpdir(), "stoplog-"));

    // A bundle in a folder from which no node_modules is found.
    beforeAll(async () => {
      await build({
        stdin: {
          contents: `
            import { openEnforcer } from "./open-enforcer.ts";
            const said = [];
            openEnforcer("nftables", (sentence) => said.push(sentence)).then(
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

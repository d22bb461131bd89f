import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/config/package-root.ts";
import { hasProgram, titled } from "../../test/support/namespace.ts";
import { ARCHITECTURES } from "../architectures.ts";
import { recipe } from "../recipe.ts";
import { makeFail2banDeb } from "./fail2ban.ts";

const fault = hasProgram("dpkg-deb") ? null : "needs dpkg-deb";

describe("the package stoplog-fail2ban", () => {
  let folder = "";
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "stoplog-fail2ban-deb-"))));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.skipIf(fault !== null)(
    titled("has fail2ban's programs as links, the socket's folder, and the same bytes each time", fault),
    () => {
      const [architecture] = ARCHITECTURES;
      if (architecture === undefined) throw new Error("there is no architecture");
      const made = ["a", "b"].map((name) =>
        makeFail2banDeb(recipe(architecture, false, 1, 1_800_000_000), {
          work: join(folder, name),
          bundle: "",
          out: join(folder, `out-${name}`),
        }),
      );
      const [first = "", again = ""] = made;
      expect(readFileSync(again).equals(readFileSync(first))).toBe(true);
      const listing = execFileSync("dpkg-deb", ["-c", first], { encoding: "utf8" });
      for (const program of ["client", "regex"])
        expect(listing).toContain(`./usr/bin/fail2ban-${program} -> ../lib/stoplog/bin/stoplog\n`);
      expect(listing).toContain("./usr/lib/systemd/system/stoplog.service.d/fail2ban.conf\n");
      const field = (name: string): string =>
        execFileSync("dpkg-deb", ["-f", first, name], { encoding: "utf8" }).trim();
      expect(field("Architecture")).toBe("all");
      expect(field("Conflicts")).toBe("fail2ban");
      expect(field("Provides")).toBe("");
    },
  );

  it.each([
    ["fail2ban-client", ["--str2sec", "1d"], "86400\n"],
    ["fail2ban-regex", ["-o", "ip", "x 192.0.2.1", "x <HOST>"], "192.0.2.1\n"],
  ])("bin/stoplog by the name %s is that program", (name, args, out) => {
    const link = join(folder, name);
    symlinkSync(join(packageRoot(), "bin/stoplog"), link);
    const { status, stdout } = spawnSync(link, args, { encoding: "utf8" });
    expect([status, stdout]).toEqual([0, out]);
  });
});

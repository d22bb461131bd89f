import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FACTS } from "../../test/support/doctor-machine.ts";
import { hostAt } from "./host-at.ts";

describe("a machine below a root", () => {
  const root = mkdtempSync(join(tmpdir(), "stoplog-host-"));
  const host = hostAt(root, "relative::/opt/bin:/usr/bin", FACTS);
  const PART = 64 * 1024;

  beforeAll(() => {
    for (const folder of ["/opt/bin", "/usr/sbin", "/var/log"])
      mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, "/var/log/long"), `head${"x".repeat(3 * PART)}tail`);
    writeFileSync(join(root, "/var/log/short"), "short");
    writeFileSync(join(root, "/opt/bin/plain"), "");
    writeFileSync(join(root, "/usr/sbin/tool"), "");
    chmodSync(join(root, "/usr/sbin/tool"), 0o755);
    spawnSync("mkfifo", [join(root, "/var/log/pipe")]);
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it("is read 64 KiB of a file, from either end", () => {
    expect(host.read("/var/log/long")).toBe(`head${"x".repeat(PART - 4)}`);
    expect(host.readEnd("/var/log/long")).toBe(`${"x".repeat(PART - 4)}tail`);
    expect([host.read("/var/log/short"), host.readEnd("/var/log/short")]).toEqual(["short", "short"]);
  });

  it("treats unreadable files as missing, and does not wait for a pipe's writer", () => {
    expect([host.read("/none"), host.read("/var/log"), host.stat("/none"), host.space("/none")]).toEqual([
      null,
      null,
      null,
      null,
    ]);
    expect([host.list("/none"), host.list("/var/log/short")]).toEqual([[], []]);
    expect([host.read("/var/log/pipe"), host.readEnd("/var/log/pipe")]).toEqual([null, null]);
  });

  it("finds files by wildcards, without the root in their names", () => {
    expect(host.find("/var/log/{long,sh*}")).toEqual(["/var/log/long", "/var/log/short"]);
    expect(host.find("/none/*")).toEqual([]);
  });

  it("finds executable programs, also in system directories", () => {
    expect([host.program("tool"), host.program("/usr/sbin/tool")]).toEqual([
      "/usr/sbin/tool",
      "/usr/sbin/tool",
    ]);
    expect([host.program("plain"), host.program("none"), host.program("/opt/bin/plain")]).toEqual([
      null,
      null,
      null,
    ]);
  });

  it("reports free space", () => {
    expect(host.space("/")?.size).toBeGreaterThan(0);
  });
});

import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../../test/support/run-cli.ts";

const BANBAN = String.raw`
socket: /run/banban.sock
blocktypes:
  mild:
    target: SOFT
    minocc: 2
    interval: 600
    patterns:
      - 'shop\[\d+\]: bad coupon from (?<ip>[0-9a-f:.]+)$'
  odd: { target: SOFT, patterns: ['(?>a) (?<ip>x)'] }
`;

let folder = "";
let banban = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stoplog-import-"));
  banban = join(folder, "banban.yml");
  writeFileSync(banban, BANBAN);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("stoplog import", () => {
  it("prints a configuration that check accepts, and the differences on standard error", async () => {
    const { status, out, err } = await run(["import", "banban", banban]);
    expect(status).toBe(0);
    expect(out).toContain("maxretry: 2");
    expect(err).toContain(
      `blocktypes.odd.patterns 1: an atomic group, (?>…), is not supported: left out (${banban}:10:35)\n`,
    );
    const path = join(folder, "printed.yaml");
    writeFileSync(path, out);
    expect(await run(["check", "-c", path])).toMatchObject({ status: 0, err: "" });
  });

  it("writes it to a file atomically, readable for all", async () => {
    const path = join(folder, "stoplog.yaml");
    writeFileSync(path, "before");
    const { status, out } = await run(["import", "banban", banban, "-o", path]);
    expect({ status, out }).toEqual({ status: 0, out: "" });
    expect(readFileSync(path, "utf8")).toBe((await run(["import", "banban", banban])).out);
    expect(statSync(path).mode & 0o777).toBe(0o644);
    expect(await run(["import", "banban", banban, "-o", join(folder, "no", "where")])).toEqual({
      status: 2,
      out: "",
      err: `Cannot write ${join(folder, "no", "where")}: no such file or directory\n`,
    });
  });

  it("prints both as JSON", async () => {
    const { out, err } = await run(["import", "banban", banban, "--json"]);
    const report = JSON.parse(out) as { config: string; differences: string[] };
    expect(report).toMatchObject({ from: "banban", path: banban });
    expect(report.config).toBe((await run(["import", "banban", banban])).out);
    expect(report.differences.length).toBeGreaterThan(3);
    expect(err).toBe("");
  });

  it("reads a folder for fail2ban", async () => {
    const path = join(folder, "fail2ban");
    mkdirSync(join(path, "filter.d"), { recursive: true });
    writeFileSync(join(path, "filter.d", "door.conf"), "[Definition]\nfailregex = ^ no key for <HOST>$\n");
    const jail =
      "[door]\nenabled = true\nfilter = door\nlogpath = /var/log/door.log\nignorecommand = /bin/x <F-USER>\n";
    writeFileSync(join(path, "jail.local"), jail);
    const { status, out, err } = await run(["import", "fail2ban", path]);
    expect(status).toBe(0);
    expect(err).toContain(
      `door.ignorecommand: it has tags other than <ip>, <fid>, <family> and <name>, or one in quotes: left out (${path}/jail.local:5)\n`,
    );
    expect((await run(["import", "fail2ban", join(path, "jail.local")])).out).toBe(out);
    const printed = join(folder, "fail2ban.yaml");
    writeFileSync(printed, out);
    expect(await run(["check", "-c", printed])).toMatchObject({ status: 0, err: "" });
    expect(await run(["import", "fail2ban", folder])).toEqual({
      status: 2,
      out: "",
      err: `Cannot read ${folder}: it contains neither jail.conf nor jail.local\n`,
    });
  });

  it("exits with 2 and one sentence when it cannot", async () => {
    const broken = join(folder, "broken.yml");
    writeFileSync(broken, "socket: /x\nblocktypes: [\n");
    const { status, out, err } = await run(["import", "swabber", broken]);
    expect({ status, out }).toEqual({ status: 2, out: "" });
    expect(err).toMatch(/^Cannot use \S+broken\.yml: [^\n]+ \(\S+broken\.yml:\d+:\d+\)\n$/);
    const missing = join(folder, "none.yml");
    expect(await run(["import", "banban", missing])).toEqual({
      status: 2,
      out: "",
      err: `Cannot read ${missing}: no such file or directory\n`,
    });
    expect(await run(["import", "sshguard", missing])).toMatchObject({ status: 2, out: "" });
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run } from "../../../test/support/run-cli.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stoplog-replay-"));
  writeFileSync(
    join(folder, "stoplog.yaml"),
    `
sources: { log: { type: file, path: /var/log/nothing.log } }
jails:
  all:
    sources: log
    filter: { failregex: ['fail <HOST>$'], goodregex: ['good <HOST>$'] }
    maxretry: 3
    findtime: 10m
    bantime: 1h
    ignoreip: [192.0.2.9]
`,
  );
});
afterEach(() => rmSync(folder, { recursive: true }));

const replay = (log: string, ...args: string[]) =>
  run(["replay", "-c", join(folder, "stoplog.yaml"), "-", ...args], { stdin: log });

describe("stoplog replay", () => {
  it("prints what would have been banned and when, by the log's own time", async () => {
    const at = (minute: number, what: string): string =>
      `2026-11-19T12:${String(minute).padStart(2, "0")}:00Z ${what}\n`;
    const log = [
      at(0, "fail 192.0.2.1") + at(1, "fail 192.0.2.1") + at(2, "fail 192.0.2.9").repeat(5),
      at(3, "fail 192.0.2.2").repeat(2) + at(4, "good 192.0.2.2") + at(5, "fail 192.0.2.2"),
      at(6, "fail 192.0.2.1") + at(7, "fail 192.0.2.1").repeat(9),
      at(30, "fail 2001:db8::1").repeat(2) + at(41, "fail 2001:db8::1"),
      "no line of ours\n",
      "2026-11-19T13:06:01Z fail 192.0.2.1\n".repeat(3),
    ].join("");
    const { status, out } = await replay(log, "--json");
    const report = JSON.parse(out) as { bans: { address: string; since: string; until: string }[] };
    expect(status).toBe(0);
    expect(report).toMatchObject({
      lines: 28,
      from: "2026-11-19T12:00:00.000Z",
      to: "2026-11-19T13:06:01.000Z",
      undated: 0,
      jails: [{ name: "all", bans: 2 }],
    });
    expect(report.bans.map(({ address, since, until }) => `${address} ${since} ${until}`)).toEqual([
      "192.0.2.1 2026-11-19T12:06:00.000Z 2026-11-19T13:06:00.000Z",
      "192.0.2.1 2026-11-19T13:06:01.000Z 2026-11-19T14:06:01.000Z",
    ]);
    expect((await replay(log)).out).toContain("2 bans in 28 lines from 2026-11-19T12:00:00.000Z");
  });

  it("exits with 1 without bans, and with 2 for a log that it cannot read", async () => {
    expect(await replay("nothing\n")).toMatchObject({ status: 1, out: "0 bans in 1 line\n" });
    const missing = await run(["replay", "-c", join(folder, "stoplog.yaml"), join(folder, "missing.log")]);
    expect(missing).toMatchObject({
      status: 2,
      err: `Cannot read ${join(folder, "missing.log")}: no such file or directory\n`,
    });
  });
});

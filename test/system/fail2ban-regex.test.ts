import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unpackedAt } from "../../scripts/debian-packages.mjs";
import { titled } from "../support/namespace.ts";
import { type Ran, run } from "../support/run-cli.ts";

const UNPACKED = unpackedAt("fail2ban");
const PYTHON = "/usr/bin/python3";
const CONFIG = join(UNPACKED, "etc/fail2ban");
const fault = !existsSync(UNPACKED)
  ? "needs fail2ban in .cache/debian (npm test unpacks it there)"
  : existsSync(PYTHON)
    ? null
    : `needs ${PYTHON}`;

const LOG = `Nov 20 14:44:48 box sshd[1]: Failed password for root from 192.0.2.1 port 4444 ssh2
Nov 20 14:44:49 box sshd[1]: Failed password for invalid user bob from 192.0.2.2 port 4444 ssh2
# a comment
Nov 20 14:44:50 box sshd[1]: Connection from 192.0.2.3 port 4444
Nov 20 14:44:50 box sshd[1]: bob came from 192.0.2.4

no date here
`;

describe.skipIf(fault !== null)(titled("stoplog fail2ban-regex beside fail2ban's", fault), () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "stoplog-regex-"));
    writeFileSync(join(folder, "auth.log"), LOG);
    writeFileSync(join(folder, "long.log"), LOG.repeat(30));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const words = (line: readonly string[]): string[] =>
    line.map((word) => word.replace("LOGS", folder).replace("CONFIG", CONFIG));
  const theirs = (line: readonly string[]): Ran => {
    const { status, stdout, stderr } = spawnSync(
      PYTHON,
      [join(UNPACKED, "usr/bin/fail2ban-regex"), ...words(line)],
      {
        encoding: "utf8",
        env: { ...process.env, PYTHONPATH: join(UNPACKED, "usr/lib/python3/dist-packages") },
      },
    );
    return { status: status ?? -1, out: stdout, err: stderr };
  };
  const ours = (line: readonly string[]): Promise<Ran> => run(["fail2ban-regex", ...words(line)]);

  it.each([
    [["LOGS/auth.log", "Failed password for .* from <HOST>"]],
    [["LOGS/auth.log", "from <HOST>", "bob"]],
    [
      [
        "--print-all-matched",
        "--print-all-missed",
        "LOGS/auth.log",
        "Failed password for .* from <HOST>",
        "bob",
      ],
    ],
    [["--print-no-missed", "LOGS/auth.log", "from <HOST>"]],
    [["LOGS/long.log", "Failed password for .* from <HOST>", "bob"]],
    [["--print-all-ignored", "LOGS/long.log", "Failed password for .* from <HOST>", "bob"]],
    [["Nov 20 14:44:48 box x from 192.0.2.1", "from <HOST>$"]],
    [["LOGS/nothing.log", "from <HOST>"]],
    [["--print-all-matched", "LOGS/auth.log", "CONFIG/filter.d/sshd.conf"]],
    [["--print-all-matched", "LOGS/auth.log", "CONFIG/filter.d/sshd.conf", "bob"]],
    [["-c", "CONFIG", "LOGS/auth.log", "sshd[mode=aggressive]"]],
    [["-o", "ip", "LOGS/auth.log", "from <HOST>"]],
  ])("prints the same for %j", async (line) => {
    const [real, mine] = [theirs(line), await ours(line)];
    expect({ ...mine, out: compared(mine.out) }).toEqual({ ...real, out: compared(real.out) });
  });

  it("refuses what fail2ban refuses, with its status", async () => {
    for (const line of [["LOGS/auth.log", "bad ("], ["LOGS/auth.log"], ["--nonsense", "a", "b"]]) {
      const { status, out, err } = await ours(line);
      expect([line, status]).toEqual([line, 255]);
      expect(out + err).toContain("ERROR: ");
    }
    expect((await ours(["LOGS/auth.log", "bad ("])).out).toContain(
      "Unable to compile regular expression 'bad ('",
    );
    expect((await ours(["systemd-journal", "from <HOST>"])).err).toContain("journalctl -o short-iso");
  });
});

/** Without the time it took, the names of date templates, and how fail2ban expands prefregex; `maxlines` is always 1 here. */
function compared(out: string): string {
  return out
    .replace(/processed in [\d.]+ sec/, "processed")
    .replace(/(\|- \[# of hits\] date format\n\| {2}\[\d+\]).*/, "$1")
    .replace(/(Prefregex: \d+ total\n)\| {2}.*/, "$1")
    .replace(/^Use {9}maxlines : .*\n/m, "")
    .replace(/^(Use {6}datepattern : \S+).*/m, "$1");
}

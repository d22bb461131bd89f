import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CollectedLines } from "../../../test/support/collected-lines.ts";
import { until } from "../../../test/support/waiting.ts";
import { entryLine } from "./entry-line.ts";
import { ExportReader, type JournalEntry } from "./export-format.ts";
import { JournalSource, journalctlArguments } from "./journal-source.ts";

/** An entry as journalctl writes it: the text form where possible, otherwise the binary form. */
function exported(fields: readonly (readonly [name: string, value: Buffer | string])[]): Buffer {
  const parts = fields.map(([name, text]) => {
    const value = Buffer.from(text as string);
    if (!value.includes(10)) return Buffer.concat([Buffer.from(`${name}=`), value, Buffer.from("\n")]);
    const size = Buffer.alloc(8);
    size.writeUInt32LE(value.length);
    return Buffer.concat([Buffer.from(`${name}\n`), size, value, Buffer.from("\n")]);
  });
  return Buffer.concat([...parts, Buffer.from("\n")]);
}

function read(bytes: Buffer, sizes: readonly number[], maxValue = 1000) {
  const entries: JournalEntry[] = [];
  const reader = new ExportReader(new Set(["MESSAGE", "_PID"]), maxValue, (entry) => entries.push(entry));
  let at = 0;
  for (const size of sizes) {
    reader.push(Buffer.from(bytes.subarray(at, at + size)));
    at = Math.min(bytes.length, at + size);
  }
  reader.push(Buffer.from(bytes.subarray(at)));
  return { entries: entries.map((entry) => Object.fromEntries(entry)), shedBytes: reader.shedBytes };
}

describe("ExportReader", () => {
  it("reads exported entries in chunks of any size", () => {
    const value = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
    const entry = fc.record({ MESSAGE: value, _PID: value, OTHER: value });
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 5 }),
        fc.array(fc.nat(30), { maxLength: 20 }),
        (entries, sizes) => {
          const bytes = Buffer.concat(entries.map((one) => exported(Object.entries(one))));
          const expected = entries.map(({ MESSAGE, _PID }) => ({
            MESSAGE: MESSAGE.toString("latin1"),
            _PID: _PID.toString("latin1"),
          }));
          expect(read(bytes, sizes)).toEqual({ entries: expected, shedBytes: 0 });
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("keeps the head of a field that is too long, text or binary, and counts the rest", () => {
    const long = "x".repeat(5000);
    const bytes = Buffer.concat([
      exported([
        ["MESSAGE", long],
        ["_PID", "1"],
      ]),
      exported([
        ["MESSAGE", `a\n${long}`],
        ["_PID", "2"],
      ]),
      exported([
        ["OTHER", `a\n${long}`],
        ["OTHER2", long],
        ["_PID", "3"],
      ]),
    ]);
    for (const sizes of [[], [7, 100, 300, 4000], Array.from({ length: 200 }, () => 80)]) {
      expect(read(bytes, sizes, 10)).toEqual({
        entries: [
          { MESSAGE: "x".repeat(10), _PID: "1" },
          { MESSAGE: `a\n${"x".repeat(8)}`, _PID: "2" },
          { _PID: "3" },
        ],
        shedBytes: 4990 + 4992,
      });
    }
  });
});

describe("entryLine()", () => {
  const line = (fields: Record<string, string>) => entryLine(new Map(Object.entries(fields)));

  it("is a line of a log file with an RFC 3339 time", () => {
    const fields = {
      __REALTIME_TIMESTAMP: "1795187836460002",
      _HOSTNAME: "box",
      SYSLOG_IDENTIFIER: "sshd",
      _PID: "42",
      MESSAGE: "Invalid user x from 192.0.2.1",
    };
    expect(line(fields)).toBe("2026-11-20T15:17:16.460002Z box sshd[42]: Invalid user x from 192.0.2.1");
    expect(line({ ...fields, SYSLOG_IDENTIFIER: "kernel" })).toContain(" box kernel: Invalid");
  });

  it("works with missing fields", () => {
    expect(line({ _COMM: "login", MESSAGE: "hi" })).toBe("localhost login: hi");
    expect(line({ SYSLOG_IDENTIFIER: "a", SYSLOG_PID: "7" })).toBe("localhost a[7]: ");
    expect(line({ __REALTIME_TIMESTAMP: "x" })).toBe("localhost unknown: ");
  });

  it("is one line, whatever the message contains", () => {
    expect(line({ _COMM: "a\nb", MESSAGE: "one\ntwo\r\n\0three\n\n" })).toBe(
      "localhost a b: one two   three",
    );
  });
});

describe("JournalSource", () => {
  let dir = "";
  const path = process.env["PATH"];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "stoplog-journal-"));
    process.env["PATH"] = `${dir}:${path}`;
  });
  afterEach(() => {
    process.env["PATH"] = path;
    rmSync(dir, { recursive: true });
  });

  /** Stands in for journalctl: records its arguments, prints, and exits as the script says. */
  function journalctl(script: string): void {
    writeFileSync(join(dir, "journalctl"), `#!/bin/sh\necho "$@" >> ${dir}/told\n${script}\n`);
    chmodSync(join(dir, "journalctl"), 0o755);
  }

  it("continues after the last entry when journalctl dies", async () => {
    const entry = exported([
      ["__CURSOR", "s=1;i=7"],
      ["__REALTIME_TIMESTAMP", "1795187836460002"],
      ["_HOSTNAME", "box"],
      ["SYSLOG_IDENTIFIER", "sshd"],
      ["MESSAGE", "one\ntwo"],
    ]);
    writeFileSync(join(dir, "entry"), entry);
    journalctl(`cat ${dir}/entry; echo 'Journal was vacuumed.' >&2; exit 3`);
    const source = new JournalSource("journal", { type: "journal", units: ["ssh.service"] });
    const got = new CollectedLines();
    const run = () => source.run(got.sink, new AbortController().signal);
    await expect(run()).rejects.toThrow(
      "Cannot read the journal: journalctl exited with 3: Journal was vacuumed",
    );
    expect(got.lines).toEqual(["2026-11-20T15:17:16.460002Z box sshd: one two"]);
    expect(source.position()).toEqual({ cursor: "s=1;i=7" });
    await expect(run()).rejects.toThrow("exited with 3");
    expect(journalctlArguments({ type: "journal", units: ["ssh.service"] }, "s=1;i=7").slice(3)).toEqual([
      "--no-tail",
      "--after-cursor=s=1;i=7",
      "--unit=ssh.service",
    ]);
  });

  it("drops a cursor that journalctl rejects, instead of failing forever", async () => {
    journalctl("echo 'Failed to seek to cursor: Invalid argument' >&2; exit 1");
    const source = new JournalSource("journal", { type: "journal" }, { cursor: "bogus" });
    await expect(source.run(() => undefined, new AbortController().signal)).rejects.toThrow(
      "Cannot read the journal: journalctl exited with 1: Failed to seek to cursor: Invalid argument",
    );
    expect(source.position()).toBeNull();
  });

  it("shows journalctl's warnings in its state", async () => {
    journalctl("echo 'No journal files were found.' >&2; exec sleep 100");
    const source = new JournalSource("journal", { type: "journal" });
    const abort = new AbortController();
    const done = source.run(() => undefined, abort.signal);
    await until(
      "journalctl has said that there is nothing",
      () => source.stats.state === "follows the journal; journalctl says: No journal files were found",
    );
    abort.abort();
    await done;
  });

  it("says when journalctl is missing", async () => {
    process.env["PATH"] = dir;
    await expect(
      new JournalSource("journal", { type: "journal" }).run(() => undefined, new AbortController().signal),
    ).rejects.toThrow("Cannot read the journal: there is no program journalctl");
  });

  it("refuses a match that journalctl would read as an option", () => {
    expect(() => new JournalSource("journal", { type: "journal", matches: ["--file=/etc/shadow"] })).toThrow(
      "Cannot match --file=/etc/shadow in the journal: not FIELD=value",
    );
  });
});

import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { nativeFault } from "../../kernel/native/libc.ts";
import { CollectedLines } from "../../../test/support/collected-lines.ts";
import { until } from "../../../test/support/waiting.ts";
import type { SourcePosition } from "../source.ts";
import { openRecordDevice, type RecordDevice } from "./device.ts";
import { KernelClock } from "./kernel-clock.ts";
import { KmsgSource } from "./kmsg-source.ts";
import { isFromKernel, KmsgRecord } from "./record.ts";
import { RecordLineWriter } from "./record-line.ts";
import { monotonic, RecordPipe } from "../../../test/support/record-pipe.ts";

function readRecord(text: string) {
  const bytes = Buffer.from(text, "latin1");
  const record = new KmsgRecord();
  if (!record.read(bytes, bytes.length)) return null;
  const { priority, sequence, micros, start, end } = record;
  return {
    priority,
    sequence,
    micros,
    text: bytes.toString("latin1", start, end),
    kernel: isFromKernel(record),
  };
}

describe("KmsgRecord", () => {
  it("reads the header and the text, and skips the properties that the kernel adds", () => {
    expect(readRecord("6,339,5140900,-,caller=T1;NET: up; running\n SUBSYSTEM=net\n DEVICE=n1\n")).toEqual({
      priority: 6,
      sequence: 339,
      micros: 5140900,
      text: "NET: up; running",
      kernel: true,
    });
    expect(readRecord("12,4,5,c;x")).toMatchObject({ text: "x", kernel: false });
    expect(readRecord("4,1,2,-;\n")).toMatchObject({ text: "" });
  });

  it("rejects anything that is not a record", () => {
    for (const text of [
      "",
      ";",
      "6",
      "6,1,2",
      "6,1,2,-",
      "a,1,2,-;x",
      "6,,2,-;x",
      ",1,2,-;x",
      "6;1,2,-",
      " K=v",
      `6,${"1".repeat(21)},2,-;x`,
    ])
      expect(readRecord(text)).toBeNull();
  });

  it("never reads past the record's length, whatever the buffer contains", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("0", ",", ";", "-", "\n", " ", "a", "\\", "x") }),
        fc.nat(20),
        (text, cut) => {
          const bytes = Buffer.from(`${text}1,2,3,-;text\n`);
          const length = Math.min(cut, bytes.length);
          const record = new KmsgRecord();
          if (!record.read(bytes, length)) return;
          expect(record.start).toBeLessThanOrEqual(record.end);
          expect(record.end).toBeLessThanOrEqual(length);
        },
      ),
    );
  });
});

describe("RecordLineWriter", () => {
  function line(
    text: string,
    { host = "box", maxLine = 200, when = Date.UTC(2026, 10, 20, 14, 3, 7) + 4.25 } = {},
  ) {
    const writer = new RecordLineWriter(host, maxLine);
    const bytes = Buffer.from(text, "latin1");
    const to = Buffer.alloc(writer.room(bytes.length));
    const length = writer.write(to, 0, when, bytes, { start: 0, end: bytes.length });
    return { text: to.toString("latin1"), length };
  }

  it("writes a line of kern.log", () => {
    expect(line("eth0: up")).toEqual({
      text: "2026-11-20T14:03:07.004250Z box kernel: eth0: up\n",
      length: 48,
    });
    expect(line("x", { host: "a b\n" }).text).toBe("2026-11-20T14:03:07.004250Z localhost kernel: x\n");
  });

  it("decodes escaped bytes, and never writes a second line", () => {
    expect(line(String.raw`a\x5cb\xc3\xa9\x0aOct\x0d\x00x\x1b`).text).toContain(
      " kernel: a\\b\xc3\xa9 Oct  x\x1b",
    );
    expect(line(String.raw`\x4\xzz\x`).text).toContain(String.raw`kernel: \x4\xzz\x`);
  });

  it("truncates at the bound and returns the full length", () => {
    const cut = line("y".repeat(500), { maxLine: 100 });
    expect(cut.text).toHaveLength(101);
    expect(cut.text.endsWith("yyy\n")).toBe(true);
    expect(cut.length).toBe(540);
  });
});

describe("KernelClock", () => {
  it("dates a record by its age, even when the kernel's clock has drifted", () => {
    const clock = new KernelClock();
    expect(clock.at(4_000_000, 1_000_000, 5_000_000)).toBe(999_000);
    expect(clock.at(6_000_000, 1_000_000, 5_000_000)).toBe(1_000_000);
    clock.calibrate(3_000_000, 5_000_000);
    expect(clock.at(4_000_000, 2_000_000, 7_000_000)).toBe(1_999_000);
    clock.calibrate(9_000_000, 7_000_000);
    expect(clock.at(9_500_000, 2_000_000, 8_000_000)).toBe(1_999_500);
  });
});

describe.skipIf(nativeFault() !== null)("KmsgSource", () => {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();

  function pipe(firstSequence = 1): RecordPipe {
    const records = new RecordPipe(firstSequence);
    onTestFinished(() => records.close());
    return records;
  }

  function start(
    records: RecordPipe,
    position: SourcePosition | null,
    open?: (path: string) => RecordDevice,
  ) {
    const source = new KmsgSource("kernel", { type: "kmsg", path: records.path }, position, open);
    const got = new CollectedLines();
    const abort = new AbortController();
    const done = source.run(got.sink, abort.signal);
    onTestFinished(async () => {
      abort.abort();
      await done.catch(() => undefined);
    });
    const texts = () => got.lines.map((line) => line.replace(/^.*? kernel: /, ""));
    const until = async (count: number) => {
      await Promise.race([got.until(count), done]);
      return texts();
    };
    return { source, got, abort, done, until };
  }

  it("starts with new records, and has a position even before the first", async () => {
    const records = pipe(7);
    await records.write(Buffer.from("old"));
    const one = start(records, null);
    await until("the source reads", () => one.source.stats.state.startsWith("reads"));
    expect(one.source.position()).toEqual({ boot, next: 8 });
    await records.write(Buffer.from("new"));
    expect(await one.until(1)).toEqual(["new"]);
    expect(one.got.lines[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \S+ kernel: new$/);
    expect(one.got.lines[0]).toContain(/^[\w.-]*\w$/.test(hostname()) ? ` ${hostname()} ` : " localhost ");
    expect(one.got.backlog).toEqual([false]);
    expect(one.source.position()).toEqual({ boot, next: 9 });
  });

  it("continues at its saved position, and dates the records it missed", async () => {
    const records = pipe(5);
    const before = Date.now();
    for (const text of ["five", "six", "seven"])
      await records.write(Buffer.from(text), { micros: monotonic() - 60_000_000 });
    const one = start(records, { boot, next: 6 });
    expect(await one.until(2)).toEqual(["six", "seven"]);
    expect(one.got.backlog).toEqual([true, true]);
    expect(one.source.stats.shed).toBe(0);
    const at = Date.parse(one.got.lines[0]?.split(" ")[0] ?? "");
    expect(Math.abs(before - 60_000 - at)).toBeLessThan(10_000);
  });

  it("reads all records of this boot when its position is from another", async () => {
    const records = pipe(0);
    await records.write(Buffer.from("first of all"));
    const one = start(records, { boot: "another", next: 4711 });
    expect(await one.until(1)).toEqual(["first of all"]);
    expect(one.source.stats.shed).toBe(0);
  });

  it.each([{ next: 3 }, { boot, next: -1 }, { boot, next: "x" }, { boot: 5, next: 5 }])(
    "starts with new records when its position is invalid: %o",
    async (position) => {
      const records = pipe(1);
      await records.write(Buffer.from("a"));
      const one = start(records, position);
      await until("the source reads", () => one.source.stats.state.startsWith("reads"));
      await records.write(Buffer.from("b"));
      expect(await one.until(1)).toEqual(["b"]);
    },
  );

  it("counts overwritten records by the gap, and reads on", async () => {
    const records = pipe(10);
    let overruns = 1;
    const one = start(records, { boot, next: 10 }, (path) => {
      const device = openRecordDevice(path);
      return { ...device, read: (into) => (overruns-- > 0 ? "overrun" : device.read(into)) };
    });
    await records.write(Buffer.from("ten"));
    await records.write(Buffer.from("twenty"), { sequence: 20 });
    expect(await one.until(2)).toEqual(["ten", "twenty"]);
    expect(one.source.stats.shed).toBe(9);
  });

  it("skips records of programs, and data that is not a record", async () => {
    const records = pipe();
    const one = start(records, { boot, next: 1 });
    await records.write(Buffer.from("kernel: IN=eth0 OUT= SRC=192.0.2.66"), { priority: 12 });
    await records.raw("nonsense");
    await records.raw("6,x;y\n");
    await records.write(Buffer.from("true"));
    expect(await one.until(1)).toEqual(["true"]);
    expect(one.source.stats.shed).toBe(0);
  });

  it("rejects with a sentence", async () => {
    const run = (path: string) =>
      new KmsgSource("k", { type: "kmsg", path }).run(() => undefined, new AbortController().signal);
    await expect(run("/nowhere/kmsg")).rejects.toThrow(
      "Cannot read /nowhere/kmsg: no such file or directory",
    );
    await expect(run("/etc/passwd")).rejects.toThrow(/^Cannot read \/etc\/passwd: Cannot watch descriptor/);
  });
});

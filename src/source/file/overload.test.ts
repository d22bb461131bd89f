import {
  appendFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LineSink } from "../../core/batch.ts";
import { CollectedLines } from "../../../test/support/collected-lines.ts";
import { block, until } from "../../../test/support/waiting.ts";
import type { SourcePosition } from "../source.ts";
import { FileSource } from "./file-source.ts";
import type { FileOptions } from "./kind.ts";

// The limits are small and a buffer holds 64 KiB: a writer that appends 180,000 bytes for each batch outruns any sink.

let dir = "";
let log = "";
let written = 0;
const running: { stop(): Promise<unknown> }[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "stoplog-overload-"));
  log = join(dir, "auth.log");
  writeFileSync(log, "");
  written = 0;
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
  rmSync(dir, { recursive: true });
});

/** Appends numbered lines of 18 bytes. */
function write(count: number, path = log): void {
  const lines = Array.from({ length: count }, () => `${String(written++).padStart(8, "0")} fills it\n`);
  appendFileSync(path, lines.join(""));
}

const LINE = 18;

interface Following {
  readonly options?: Partial<FileOptions>;
  readonly position?: SourcePosition | null;
  /** Called before each batch is stored. */
  readonly meanwhile?: () => void;
}

function follow({ options = {}, position = null, meanwhile = () => undefined }: Following) {
  const source = new FileSource("auth", { type: "file", path: log, maxBehind: 20_000, ...options }, position);
  const got = new CollectedLines();
  const abort = new AbortController();
  const sink: LineSink = (batch) => {
    meanwhile();
    got.sink(batch);
  };
  const done = source.run(sink, abort.signal);
  const one = {
    source,
    got,
    numbers: () => got.lines.map((line) => Number.parseInt(line, 10)),
    abort: () => abort.abort(),
    async stop() {
      abort.abort();
      await done;
      return JSON.parse(JSON.stringify(source.position())) as SourcePosition;
    },
    /** Waits until every written line was read or shed. */
    caughtUp: () =>
      until(
        "all lines were read or shed",
        () => got.lines.length * LINE + source.stats.shedBytes >= written * LINE,
        () => `${got.lines.length} lines, ${source.stats.shedBytes} bytes shed of ${written} lines`,
      ),
  };
  running.push(one);
  return one;
}

/** Appends 10,000 lines at each of the first `times` batches. */
function outrun(times: number): () => void {
  let left = times;
  return () => {
    if (left-- > 0) write(10_000);
  };
}

const ascending = (numbers: readonly number[]) =>
  numbers.every((n, i) => i === 0 || n > (numbers[i - 1] ?? 0));
const sorted = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);

const runLengths = <T>(values: readonly T[], of: T): number[] => {
  const lengths: number[] = [];
  values.forEach((value, i) => {
    if (value !== of) return;
    if (i === 0 || values[i - 1] !== of) lengths.push(0);
    lengths.push((lengths.pop() ?? 0) + 1);
  });
  return lengths;
};
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("a FileSource whose file is written faster than it reads", () => {
  it("reads the newest lines first, then the rest, and delivers every line once [limit: behind]", async () => {
    const one = follow({ meanwhile: outrun(8) });
    write(100);
    await one.caughtUp();
    const numbers = one.numbers();
    expect(sorted(numbers)).toEqual(upTo(80_100));
    expect(one.source.stats).toMatchObject({ shed: 0, shedBytes: 0, cut: 0, waitingBytes: 0, laterBytes: 0 });
    expect(one.source.stats.leaps).toBeGreaterThanOrEqual(5);

    const live = numbers.filter((_, i) => one.got.backlog[i] === false);
    expect(ascending(live)).toBe(true);
    expect(live.at(-1)).toBe(80_099);
    // While newer lines wait, at most one buffer of a gap is read in between.
    const last = one.got.backlog.lastIndexOf(false);
    const between = runLengths(one.got.backlog.slice(0, last), true);
    expect(Math.max(0, ...between)).toBeLessThanOrEqual(65_536 / LINE);
    // The gaps are read last, the newest first.
    const rest = numbers.slice(last + 1);
    const starts = rest.filter((n, i) => i === 0 || n !== (rest[i - 1] ?? 0) + 1);
    expect(starts.length).toBeGreaterThan(2);
    expect(starts).toEqual(sorted(starts).toReversed());
  });

  it("counts the waiting bytes, and those of them that are in gaps", async () => {
    let seen: { waitingBytes: number; laterBytes: number } | null = null;
    const one = follow({
      meanwhile: () => {
        if (one.source.stats.leaps === 1 && one.source.stats.laterBytes > 0) seen ??= { ...one.source.stats };
        else if (written < 50_000) write(10_000);
      },
    });
    write(100);
    await one.caughtUp();
    expect(seen).toMatchObject({ laterBytes: expect.any(Number) as number });
    const { waitingBytes, laterBytes } = seen ?? { waitingBytes: 0, laterBytes: 0 };
    expect(laterBytes).toBeGreaterThan(20_000);
    expect(waitingBytes).toBeGreaterThanOrEqual(laterBytes);
  });

  it("sheds the oldest of too many gaps and counts its bytes [limit: gaps]", async () => {
    const one = follow({ options: { maxGaps: 2 }, meanwhile: outrun(8) });
    write(100);
    await one.caughtUp();
    const numbers = one.numbers();
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(one.source.stats.shedBytes).toBe((written - numbers.length) * LINE);
    expect(one.source.stats.shedBytes).toBeGreaterThan(0);
    expect(numbers).toContain(written - 1);
  });

  it("reads a file that stopped growing in order, however long it is", async () => {
    write(50_000);
    const one = follow({ options: { start: "beginning" } });
    await one.caughtUp();
    expect(one.numbers()).toEqual(upTo(written));
    expect(one.source.stats.leaps).toBe(0);
  });

  it("reads new lines while it reads a gap", async () => {
    let news = 0;
    const one = follow({
      meanwhile: () => {
        if (written < 50_000) write(10_000);
        else if (one.source.stats.leaps > 0 && one.got.backlog.at(-1) === true && news++ < 3) write(1);
      },
    });
    write(100);
    await one.caughtUp();
    const numbers = one.numbers();
    expect(sorted(numbers)).toEqual(upTo(written));
    const newest = numbers.indexOf(written - 1);
    expect(one.got.backlog[newest]).toBe(false);
    expect(one.got.backlog.lastIndexOf(true)).toBeGreaterThan(newest);
  });

  it("truncates a line in which a leap finds no LF, and delivers its head once", async () => {
    let round = 0;
    const one = follow({
      options: { maxLine: 100, maxBehind: 6400 },
      meanwhile: () => {
        // The newest 100 bytes of the file contain no LF.
        if (round++ === 0) appendFileSync(log, `${"short\n".repeat(12_000)}head ${"x".repeat(300)}`);
        else if (round === 2) appendFileSync(log, "x rest\nlast\n");
      },
    });
    appendFileSync(log, "first\n");
    await one.got.until(12_003);
    const heads = one.got.lines.filter((line) => line.startsWith("head"));
    expect(heads).toEqual([`head ${"x".repeat(95)}`]);
    expect(one.got.lines.filter((line) => /rest|^x/.test(line))).toEqual([]);
    expect(one.source.stats.cut).toBe(1);
    expect(one.source.stats.leaps).toBe(1);
    expect(one.got.bytes - 1 + one.source.stats.shedBytes).toBe(statSync(log).size - 1);
  });

  it("sheds the gaps of a file that is truncated", async () => {
    let parts = 0;
    const one = follow({
      meanwhile: () => {
        if (written < 50_000) write(10_000);
        else if (one.got.backlog.at(-1) === true && parts++ === 0) {
          truncateSync(log);
          write(10);
        }
      },
    });
    write(100);
    await one.caughtUp();
    const numbers = one.numbers();
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(numbers).toContain(written - 1);
    expect(one.source.stats.shedBytes).toBe((written - numbers.length) * LINE);
    expect(one.source.stats.shedBytes).toBeGreaterThan(20_000);
    expect(one.source.stats).toMatchObject({ waitingBytes: 0, laterBytes: 0 });
  });

  it("reads the gaps of a file that was rotated", async () => {
    let rotated = false;
    const one = follow({
      meanwhile: () => {
        if (written < 50_000) write(10_000);
        else if (!rotated) {
          rotated = true;
          renameSync(log, `${log}.1`);
          write(10);
        }
      },
    });
    write(100);
    await one.caughtUp();
    expect(sorted(one.numbers())).toEqual(upTo(written));
    expect(one.source.stats).toMatchObject({ shedBytes: 0, waitingBytes: 0, laterBytes: 0 });
  });
});

describe("a FileSource that was stopped while it was behind", () => {
  /** Stops in the middle of the second gap. */
  async function stopped(): Promise<{ numbers: number[]; position: SourcePosition }> {
    let parts = 0;
    const one = follow({
      meanwhile: () => {
        if (written < 80_000) write(10_000);
        else if (one.got.backlog.at(-1) === true && parts++ === 6) {
          one.abort();
          block(10); // longer than STRETCH: the turn ends with this batch
        }
      },
    });
    write(100);
    await until("six parts were read", () => parts > 6);
    const position = await one.stop();
    return { numbers: one.numbers(), position };
  }

  it("loses and repeats no line", async () => {
    const before = await stopped();
    expect(before.numbers.length).toBeLessThan(written);
    write(10);
    const after = follow({ position: before.position });
    await until("the lines are there", () => before.numbers.length + after.got.lines.length >= written);
    expect(sorted([...before.numbers, ...after.numbers()])).toEqual(upTo(written));
    expect(after.numbers()[0]).toBeGreaterThanOrEqual(written - 20_000 / LINE);
    expect(after.source.stats.shedBytes).toBe(0);
  });

  it("sheds the gaps of a file that is gone", async () => {
    const before = await stopped();
    rmSync(log);
    writeFileSync(log, "");
    const after = follow({ position: before.position });
    await until("something was shed", () => after.source.stats.shedBytes > 0);
    expect(before.numbers.length * LINE + after.source.stats.shedBytes).toBe(written * LINE);
  });

  it("reads the newest lines first after a long stop", async () => {
    const first = follow({});
    write(10);
    await first.caughtUp();
    const position = await first.stop();
    write(50_000);
    const second = follow({ position });
    await until("the lines are there", () => second.got.lines.length >= 50_000);
    const numbers = second.numbers();
    expect(sorted(numbers)).toEqual(upTo(written).slice(10));
    expect(numbers[0]).toBeGreaterThan(written - 20_000 / LINE);
    expect(second.source.stats.leaps).toBe(1);
    expect(second.got.backlog.every((one) => one)).toBe(true);
  });
});

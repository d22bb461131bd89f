import { execFileSync, spawnSync } from "node:child_process";
import fc from "fast-check";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CollectedLines } from "../../../test/support/collected-lines.ts";
import { until } from "../../../test/support/waiting.ts";
import type { SourcePosition } from "../source.ts";
import { FileSource } from "./file-source.ts";
import type { FileOptions } from "./kind.ts";

let dir = "";
let log = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "stoplog-rotated-"));
  log = join(dir, "auth.log");
});
afterEach(() => rmSync(dir, { recursive: true }));

/** How a log is rotated. */
interface Rotation {
  readonly name: "number" | "date";
  readonly compress: "not" | "at once" | "next time";
  readonly how: "rename" | "copy and truncate";
}

/** As logrotate does it. */
class Rotator {
  #count = 0;

  rotate({ name, compress, how }: Rotation): void {
    if (!existsSync(log)) return;
    const target = name === "date" ? `${log}-202612${String(++this.#count).padStart(2, "0")}` : `${log}.1`;
    const before = name === "date" ? [] : numbered();
    for (const [n, path] of before)
      renameSync(
        path,
        path.replace(/\.\d+(\.gz)?$/, (_, gz: string | undefined) => `.${n + 1}${gz ?? ""}`),
      );
    if (compress === "next time") for (const path of plain()) gzip(path);
    if (how === "rename") renameSync(log, target);
    else {
      copyFileSync(log, target);
      const { atime, mtime } = statSync(log);
      utimesSync(target, atime, mtime);
      truncateSync(log);
    }
    if (compress === "at once") for (const path of plain()) gzip(path);
    if (how === "rename") writeFileSync(log, "");
  }
}

/** Rotated files with a number, the highest number first. */
function numbered(): [number, string][] {
  return readdirSync(dir)
    .flatMap((name): [number, string][] => {
      const n = /^auth\.log\.(\d+)(?:\.gz)?$/.exec(name)?.[1];
      return n === undefined ? [] : [[Number(n), join(dir, name)]];
    })
    .toSorted(([a], [b]) => b - a);
}

function plain(): string[] {
  return readdirSync(dir)
    .filter((name) => name !== "auth.log" && !name.endsWith(".gz"))
    .map((name) => join(dir, name));
}

function gzip(path: string): void {
  const { atime, mtime } = statSync(path);
  writeFileSync(`${path}.gz`, gzipSync(readFileSync(path)));
  utimesSync(`${path}.gz`, atime, mtime);
  rmSync(path);
}

/** A source that runs until it is stopped. */
class Running {
  readonly got = new CollectedLines();
  readonly source: FileSource;
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;

  constructor(position: SourcePosition | null, options: Partial<FileOptions> = {}) {
    const all: FileOptions = { type: "file", path: log, start: "beginning", ...options };
    // As JSON, as the store keeps it.
    this.source = new FileSource("auth", all, JSON.parse(JSON.stringify(position)) as SourcePosition | null);
    this.#done = this.source.run(this.got.sink, this.#abort.signal);
  }

  async stop(): Promise<SourcePosition | null> {
    this.#abort.abort();
    await this.#done;
    return this.source.position();
  }
}

const rotation = fc.record({
  name: fc.constantFrom("number" as const, "date" as const),
  compress: fc.constantFrom("not" as const, "at once" as const, "next time" as const),
  how: fc.constantFrom("rename" as const, "copy and truncate" as const),
});

const act = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("write" as const), lines: fc.integer({ min: 1, max: 12 }) }),
  },
  { weight: 4, arbitrary: fc.constant({ kind: "rotate" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "save" as const }) },
);

describe("a log that is rotated while it is not read", () => {
  it("is read to its end, every line once, whatever its files are called then", async () => {
    await fc.assert(
      fc.asyncProperty(
        rotation,
        fc.constantFrom("auth.log", "auth.log*"),
        fc.array(fc.array(act, { minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 4 }),
        async (how, pattern, breaks) => {
          for (const name of readdirSync(dir)) rmSync(join(dir, name));
          const rotator = new Rotator();
          let written = 0;
          const write = (lines: number): void => {
            for (let i = 0; i < lines; i++)
              appendFileSync(log, `${"x".repeat(written % 40)} line ${written++}\n`);
          };
          write(1);
          let position: SourcePosition | null = null;
          const read: string[] = [];
          for (const acts of breaks) {
            const running = new Running(position, { path: join(dir, pattern) });
            const before = read.length;
            await until(
              "all lines are read",
              () => before + running.got.lines.length >= written,
              () => `${before} and ${running.got.lines.length} of ${written}: ${running.source.stats.state}`,
            );
            write(3);
            await until("new lines are read", () => before + running.got.lines.length >= written);
            position = await running.stop();
            read.push(...running.got.lines);
            for (const one of acts) {
              if (one.kind === "write") write(one.lines);
              else if (one.kind === "rotate") {
                await sleep(5); // file times have steps of 4 ms
                rotator.rotate(how);
                await sleep(5);
              }
            }
          }
          const running = new Running(position, { path: join(dir, pattern) });
          await until(
            "the rest is read",
            () => read.length + running.got.lines.length >= written,
            () =>
              `${read.length} and ${running.got.lines.length} of ${written}: ${running.source.stats.state}`,
          );
          await sleep(30); // a line that comes twice would come now
          await running.stop();
          read.push(...running.got.lines);
          const numbers = read.map((line) => Number(line.split(" ").at(-1)));
          expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: written }, (_, i) => i));
          expect(running.source.stats.lostFiles).toBe(0);
        },
      ),
      { numRuns: 25, endOnFailure: true },
    );
  });

  /** A log of which the first line was read; then some lines each in a rotated file of its own, oldest first. */
  async function rotatedOften(sizes: readonly number[], how: Rotation): Promise<SourcePosition | null> {
    writeFileSync(log, `${"x".repeat(80)} line -1\n`);
    const first = new Running(null);
    await first.got.until(1);
    const position = await first.stop();
    const rotator = new Rotator();
    let written = 0;
    for (const lines of sizes) {
      const text = Array.from({ length: lines }, () => `${"y".repeat(80)} line ${written++}\n`).join("");
      appendFileSync(log, text);
      rotator.rotate(how);
      await sleep(5);
    }
    return position;
  }

  const BY_NUMBER = { name: "number", compress: "next time", how: "rename" } as const;

  it("goes on in the middle of a compressed file after a crash, and reads the files in their order", async () => {
    let position = await rotatedOften([3000, 2500, 2000, 10], BY_NUMBER);
    const read: string[] = [];
    for (let kill = 0; kill < 5; kill++) {
      const running = new Running(position);
      const saved: { position: SourcePosition | null; lines: number }[] = [];
      for (let turn = 0; turn < 12 || running.got.lines.length < 1000; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
        saved.push({ position: running.source.position(), lines: running.got.lines.length });
        if (running.got.lines.length + read.length >= 7510) break;
      }
      await running.stop();
      const last = saved[Math.floor(saved.length * (0.4 + kill / 10))] ?? saved.at(-1)!;
      position = last.position;
      read.push(...running.got.lines.slice(0, last.lines));
    }
    const running = new Running(position);
    await running.got.until(7510 - read.length);
    await running.stop();
    read.push(...running.got.lines);
    expect(read.map((line) => Number(line.split(" ").at(-1)))).toEqual(
      Array.from({ length: 7510 }, (_, i) => i),
    );
  });

  it("says how many files were not found again", async () => {
    const position = await rotatedOften([5, 5], BY_NUMBER);
    rmSync(`${log}.2.gz`);
    const running = new Running(position);
    await running.got.until(5);
    expect(running.source.stats).toMatchObject({
      lostFiles: 1,
      state: `follows ${log}, did not find 1 rotated file of ${log} again: what was unread is lost`,
    });
    await running.stop();
  });

  it("skips the oldest of too many bytes, and says how many [limit: rotatedBytes]", async () => {
    const position = await rotatedOften([50, 40, 30, 20], { ...BY_NUMBER, compress: "at once" });
    const running = new Running(position, { maxRotated: 6000 });
    await running.got.until(50);
    const { state, lostFiles, shedBytes } = running.source.stats;
    await running.stop();
    expect([lostFiles, shedBytes]).toEqual([2, 90 * 89 - 10]);
    expect(state).toContain(`skipped 2 rotated files of ${log} with ${90 * 89 - 10} unread bytes`);
    expect(running.got.lines).toHaveLength(50);
  });

  it("says that a compressed file is damaged, and reads the others", async () => {
    const position = await rotatedOften([2000, 20], { ...BY_NUMBER, compress: "at once" });
    const bytes = readFileSync(`${log}.2.gz`);
    writeFileSync(`${log}.2.gz`, bytes.fill(0, bytes.length >> 1, bytes.length - 4));
    const { mtimeMs } = statSync(`${log}.1.gz`);
    utimesSync(`${log}.2.gz`, mtimeMs / 1000 - 1, mtimeMs / 1000 - 1);
    const running = new Running(position);
    await until("the last line is read", () => running.got.lines.some((line) => line.endsWith(" 2019")));
    expect(running.source.stats.lostFiles).toBe(1);
    expect(running.source.stats.state).toContain(`cannot read ${log}.2.gz: `);
    await running.stop();
  });

  const hasLogrotate = spawnSync("logrotate", ["--version"]).error === undefined;

  it
    .skipIf(!hasLogrotate)
    .each([
      "compress",
      "compress\ndelaycompress",
      "compress\ncopytruncate",
      "compress\ndateext\ndateformat -%Y%m%d-%s",
      "delaycompress\ncompress\ncopytruncate\ndateext\ndateformat -%Y%m%d%s",
    ])("is read to its end, every line once, after the real logrotate: %j", async (options) => {
    const conf = join(dir, "logrotate.conf");
    writeFileSync(conf, `${log} {\nrotate 9\nnodelaycompress\n${options}\ncreate\nsu root root\n}\n`);
    // logrotate reads options in order: the last one of a pair counts.
    writeFileSync(log, "");
    let written = 0;
    const write = (): void => appendFileSync(log, `${"z".repeat(70)} line ${written++}\n`);
    const first = new Running(null);
    write();
    await first.got.until(1);
    const position = await first.stop();
    for (let n = 0; n < 3; n++) {
      write();
      execFileSync("logrotate", ["-f", "-s", join(dir, "status"), conf]);
      await sleep(options.includes("%s") ? 1010 : 10); // the names have a second
      write();
    }
    const running = new Running(position);
    await running.got.until(written - 1);
    await sleep(30);
    await running.stop();
    expect(
      [...first.got.lines, ...running.got.lines]
        .map((line) => Number(line.split(" ").at(-1)))
        .toSorted((a, b) => a - b),
    ).toEqual(Array.from({ length: written }, (_, i) => i));
    expect(running.source.stats.lostFiles).toBe(0);
  });
});

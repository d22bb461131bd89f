import { describe, expect, it, onTestFinished } from "vitest";
import type { LineBatch } from "../../src/core/batch.ts";
import { CollectedLines } from "../support/collected-lines.ts";
import { until } from "../support/waiting.ts";
import type { Source } from "../../src/source/source.ts";

/** A source and its other end. */
export interface SourceUnderTest {
  readonly source: Source;
  /** Resolves when the source accepts bytes. */
  ready(): Promise<void>;
  /** Writes bytes as its sender would: unchanged, or each line as one message. */
  write(bytes: Buffer): Promise<void>;
  close(): Promise<void> | void;
}

export interface SourceTraits {
  /** True: a stream with line ends. False: one message for each line. */
  readonly stream: boolean;
  /** Matches what the source puts before a line; absent when it passes on bytes unchanged. */
  readonly prefix?: RegExp;
  /** The longest message that a sender can send, in bytes, when it is shorter than the test's longest line. */
  readonly longest?: number;
}

/** The contract of every source. `open` makes one whose lines have at most 100 bytes. */
export function sourceConformance(
  kind: string,
  traits: SourceTraits,
  open: () => Promise<SourceUnderTest> | SourceUnderTest,
): void {
  async function running(
    wrap: (sink: (batch: LineBatch) => void) => (batch: LineBatch) => void = (sink) => sink,
  ) {
    const one = await open();
    onTestFinished(() => one.close());
    const got = new CollectedLines();
    const abort = new AbortController();
    let settled = false;
    const done = one.source.run(wrap(got.sink), abort.signal).finally(() => (settled = true));
    done.catch(() => undefined);
    onTestFinished(async () => {
      abort.abort();
      await done.catch(() => undefined);
    });
    await Promise.race([one.ready(), done]);
    const plain = () => got.lines.map((line) => line.replace(traits.prefix ?? "", ""));
    const until = async (count: number) => {
      await got.until(count);
      return plain();
    };
    return { ...one, got, abort, done, until, isSettled: () => settled };
  }

  describe(`the ${kind} source`, () => {
    it("delivers whole lines in order and counts them", async () => {
      const one = await running();
      const lines = Array.from({ length: 500 }, (_, i) => `line ${i}`);
      await one.write(Buffer.from(`${lines.join("\n")}\n`));
      expect(await one.until(500)).toEqual(lines);
      expect(one.source.stats).toMatchObject({
        bytes: one.got.bytes,
        batches: one.got.batches,
        cut: 0,
        shed: 0,
      });
    });

    it("passes on bytes that are not UTF-8 unchanged", async () => {
      const one = await running();
      await one.write(Buffer.from([0xff, 0xfe, 0x41, 0xc3, 0x28, 10, 0x42, 10]));
      expect(await one.until(2)).toEqual(["\xff\xfeA\xc3(", "B"]);
    });

    if (traits.stream)
      it("waits for the rest of a partial line", async () => {
        const one = await running();
        await one.write(Buffer.from("one\ntw"));
        expect(await one.until(1)).toEqual(["one"]);
        await one.write(Buffer.from("o\n"));
        expect(await one.until(2)).toEqual(["one", "two"]);
      });

    it("cuts an endless line at the limit and counts the bytes that were cut", async () => {
      const one = await running();
      const length = traits.longest ?? 50_000;
      await one.write(Buffer.from(`${"x".repeat(length)}\nnext\n`));
      await one.got.until(2);
      const [head = ""] = one.got.lines;
      expect(head.length).toBe(100);
      expect(head.endsWith("xxx")).toBe(true);
      const shown = head.replace(traits.prefix ?? "", "").length;
      expect(one.source.stats.cut).toBe(1);
      expect(one.source.stats.shedBytes).toBe(length - shown);
    });

    it("resolves on abort, delivers nothing afterwards, and can run again", async () => {
      const one = await running();
      await one.write(Buffer.from("before\n"));
      await one.until(1);
      one.abort.abort();
      await one.done;
      const { length } = one.got.lines;
      expect(one.source.stats.state).toBe("stopped");
      const again = new AbortController();
      again.abort();
      await one.source.run(one.got.sink, again.signal);
      expect(one.got.lines.length).toBe(length);
    });

    it("resolves when it is aborted during its start", async () => {
      const one = await open();
      onTestFinished(() => one.close());
      const abort = new AbortController();
      const done = one.source.run(() => undefined, abort.signal);
      abort.abort();
      await done;
      expect(one.source.stats.state).toBe("stopped");
    });

    it("delivers many lines in few batches", async () => {
      const one = await running();
      await one.write(Buffer.from("some text that fills a line\n".repeat(20_000)));
      await one.got.until(20_000);
      expect(one.got.batches).toBeLessThan(10_000);
    });

    it("has a position that survives JSON, or null", async () => {
      const one = await running();
      await one.write(Buffer.from("x\n"));
      await one.until(1);
      const position = one.source.position();
      expect(JSON.parse(JSON.stringify(position))).toEqual(position);
    });
  });
}

/** Resolves when the source's state matches. */
export function whenState(source: Source, pattern: RegExp): Promise<void> {
  return until(
    "the source is in the wanted state",
    () => pattern.test(source.stats.state),
    () => source.stats.state,
  );
}

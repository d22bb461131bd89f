import { describe, expect, it } from "vitest";
import type { LineSink } from "../core/batch.ts";
import { StoplogError } from "../core/errors.ts";
import { newSourceStats, type Source } from "./source.ts";
import { supervise } from "./supervise.ts";

/** A source whose n-th run calls the n-th function. */
function scripted(runs: readonly ((sink: LineSink, signal: AbortSignal) => Promise<void> | void)[]): Source {
  let next = 0;
  return {
    name: "auth",
    kind: "command",
    stats: newSourceStats(),
    position: () => null,
    async run(sink, signal) {
      await runs[next++]?.(sink, signal);
    },
  };
}

async function play(
  ...runs: ((time: { now: number }, sink: LineSink, signal: AbortSignal) => Promise<void> | void)[]
) {
  const time = { now: 0 };
  const abort = new AbortController();
  const log: string[] = [];
  const pauses: number[] = [];
  const source = scripted([
    ...runs.map((run) => (sink: LineSink, signal: AbortSignal) => run(time, sink, signal)),
    () => abort.abort(),
  ]);
  const supervision = supervise(source, () => undefined, abort.signal, {
    log: (sentence) => log.push(sentence),
    sleep: async (duration) => void pauses.push(duration),
    now: () => time.now,
  });
  await supervision.done;
  return { log, pauses, source };
}

const fails = (fact: string) => () => {
  throw new StoplogError(fact);
};
const lasts = (ms: number, fact: string) => (time: { now: number }) => {
  time.now += ms;
  throw new StoplogError(fact);
};
const line = { bytes: Buffer.from("x\n"), start: 0, end: 2, backlog: false };

describe("supervise()", () => {
  it("retries after growing pauses, and logs the same failure once", async () => {
    const { log, pauses } = await play(...Array.from({ length: 9 }, () => fails("Cannot read: gone")));
    expect(pauses).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(log).toEqual(["Source auth failed, retrying: Cannot read: gone"]);
  });

  it("logs each change", async () => {
    const { log } = await play(fails("one"), fails("two"), (_time, sink) => {
      sink(line);
      sink(line);
      throw new Error("three");
    });
    expect(log).toEqual([
      "Source auth failed, retrying: one",
      "Source auth failed, retrying: two",
      "Source auth works again",
      "Source auth failed, retrying: three",
    ]);
  });

  it("resets the pause after a minute without a failure", async () => {
    const { pauses } = await play(fails("x"), fails("x"), lasts(60_000, "x"), lasts(59_999, "x"));
    expect(pauses).toEqual([250, 500, 250, 500]);
  });

  it("tells what failed until the source has run for ten seconds, even without input", async () => {
    const abort = new AbortController();
    const time = { now: 0 };
    const log: string[] = [];
    const silent = () =>
      new Promise<void>((resolve) => abort.signal.addEventListener("abort", () => resolve()));
    const supervision = supervise(scripted([fails("one"), silent]), () => undefined, abort.signal, {
      log: (sentence) => log.push(sentence),
      sleep: async () => void (time.now += 250),
      now: () => time.now,
    });
    await new Promise(setImmediate);
    supervision.tick(10_249);
    expect(supervision.failure).toBe("Source auth failed, retrying: one");
    supervision.tick(10_250);
    expect([supervision.failure, log.at(-1)]).toEqual([null, "Source auth works again"]);
    abort.abort();
    await supervision.done;
  });

  it("ends when the input ends, and logs it", async () => {
    const abort = new AbortController();
    const log: string[] = [];
    const supervision = supervise(scripted([() => undefined]), () => undefined, abort.signal, {
      log: (text) => log.push(text),
    });
    await supervision.done;
    expect(log).toEqual(["Source auth ended: no more input"]);
    expect(supervision.failure).toBe(log[0]);
  });

  it("logs nothing when it is aborted, even during a pause", async () => {
    const abort = new AbortController();
    const log: string[] = [];
    const { done } = supervise(scripted([fails("x")]), () => undefined, abort.signal, {
      log: (text) => {
        log.push(text);
        setImmediate(() => abort.abort());
      },
    });
    await done;
    expect(log).toHaveLength(1);
  });
});

import { describe, expect, it } from "vitest";
import type { LineSink } from "../core/batch.ts";
import { StoplogError } from "../core/errors.ts";
import { newSourceStats, type Source } from "./source.ts";
import { supervise } from "./supervise.ts";

/** A source whose runs are told one by one. */
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
  await supervise(source, () => undefined, abort.signal, {
    log: (sentence) => log.push(sentence),
    sleep: async (duration) => void pauses.push(duration),
    now: () => time.now,
  });
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
  it("runs the source again after longer and longer pauses, and says the same thing once", async () => {
    const { log, pauses } = await play(...Array.from({ length: 9 }, () => fails("Cannot read: gone")));
    expect(pauses).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(log).toEqual(["Source auth stopped and is tried again: Cannot read: gone"]);
  });

  it("says what changed", async () => {
    const { log } = await play(fails("one"), fails("two"), (_time, sink) => {
      sink(line);
      sink(line);
      throw new Error("three");
    });
    expect(log).toEqual([
      "Source auth stopped and is tried again: one",
      "Source auth stopped and is tried again: two",
      "Source auth works again",
      "Source auth stopped and is tried again: three",
    ]);
  });

  it("starts with the short pause again after a minute that went well", async () => {
    const { pauses, log } = await play(fails("x"), fails("x"), lasts(60_000, "x"), lasts(59_999, "x"));
    expect(pauses).toEqual([250, 500, 250, 500]);
    expect(log).toHaveLength(3);
  });

  it("ends when the input ends, and says so", async () => {
    const abort = new AbortController();
    const log: string[] = [];
    await supervise(scripted([() => undefined]), () => undefined, abort.signal, {
      log: (text) => log.push(text),
    });
    expect(log).toEqual(["Source auth has come to its end"]);
  });

  it("ends without a word when it is aborted, also in a pause", async () => {
    const abort = new AbortController();
    const log: string[] = [];
    const done = supervise(scripted([fails("x")]), () => undefined, abort.signal, {
      log: (text) => {
        log.push(text);
        setImmediate(() => abort.abort());
      },
    });
    await done;
    expect(log).toHaveLength(1);
  });
});

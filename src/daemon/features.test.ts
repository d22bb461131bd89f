import { describe, expect, it } from "vitest";
import type { Config } from "../config/config.ts";
import type { Feature, Settings } from "./feature.ts";
import { Features } from "./features.ts";

/** A configuration that is told apart by its path. */
function settings(path: string): Settings {
  return { config: { path } as Config, filters: new Map() };
}

describe("Features", () => {
  /** What the features did, in order. */
  const calls: string[] = [];
  const warnings: string[] = [];

  function features(...all: readonly Feature[]): Features {
    calls.length = 0;
    warnings.length = 0;
    return new Features(all, (sentence) => warnings.push(sentence));
  }

  function recorder(name: string, refuses: readonly string[] = []): Feature {
    return {
      name,
      follow: async ({ config }) => {
        await Promise.resolve();
        calls.push(`${name} follows ${config.path}`);
        if (refuses.includes(config.path ?? "")) throw new Error(`${name} refuses ${config.path}`);
      },
      tick: (now) => calls.push(`${name} ticks at ${now}`),
      close: ({ flush, started }) =>
        void calls.push(`${name} closes${flush ? ", flushes" : ""}${started ? "" : ", not started"}`),
    };
  }

  it("starts in order, ticks, and closes in reverse", async () => {
    const all = features(recorder("a"), { name: "nothing to do" }, recorder("b"));
    await all.start(settings("one"));
    all.tick(7);
    await all.close({ flush: true, started: true });
    expect(calls).toEqual([
      "a follows one",
      "b follows one",
      "a ticks at 7",
      "b ticks at 7",
      "b closes, flushes",
      "a closes, flushes",
    ]);
  });

  it("closes in reverse what a failed start had started, once", async () => {
    const vital = { ...recorder("c", ["one"]), isEssential: true };
    const all = features(recorder("a"), recorder("b"), vital, recorder("d"));
    await expect(all.start(settings("one"))).rejects.toThrow("c refuses one");
    await all.close({ flush: false, started: true });
    expect(calls).toEqual([
      "a follows one",
      "b follows one",
      "c follows one",
      "c closes, not started",
      "b closes, not started",
      "a closes, not started",
    ]);
  });

  it("starts the others when one cannot start, and that one again after pauses that grow", async () => {
    let isBroken = true;
    const broken: Feature = {
      name: "the door",
      follow: ({ config }, move) => {
        calls.push(`the door follows ${config.path} (${move})`);
        if (isBroken) throw new Error("the port is taken");
      },
    };
    const all = features(broken, { ...recorder("a"), tick: () => undefined });
    await all.start(settings("one"));
    const troubles = [{ of: "the door", sentence: "Cannot start the door: the port is taken" }];
    expect(all.troubles(0)).toEqual(troubles);
    const tick = async (from: number, to: number): Promise<number> => {
      calls.length = 0;
      for (let second = from; second <= to; second++) {
        all.tick(second * 1000);
        await new Promise(setImmediate);
      }
      return calls.length;
    };
    // After 1, 2, 4 and 8 s.
    expect(await tick(0, 15)).toBe(4);
    // It may stay in trouble over a reload, which it is not the fault of.
    calls.length = 0;
    await all.reload(settings("two"), settings("one"));
    expect(calls).toEqual(["the door follows two (start)", "a follows two"]);
    expect(all.troubles(0)).toEqual(troubles);
    isBroken = false;
    expect(await tick(16, 60)).toBe(1);
    expect(all.troubles(0)).toEqual([]);
    // From now on it may refuse a reload.
    isBroken = true;
    await expect(all.reload(settings("three"), settings("two"))).rejects.toThrow("the port is taken");
    await all.close({ flush: false, started: true });
  });

  it("moves the features back that a refused reload had moved, the one that refused it included", async () => {
    const all = features(recorder("a"), recorder("b", ["two"]), recorder("c"));
    await all.start(settings("one"));
    calls.length = 0;
    await expect(all.reload(settings("two"), settings("one"))).rejects.toThrow("b refuses two");
    expect(calls).toEqual(["a follows two", "b follows two", "a follows one", "b follows one"]);
    expect(warnings).toEqual([]);
  });

  it("moves the others back when one cannot go back", async () => {
    const all = features(recorder("a", ["zero"]), recorder("b"), recorder("c", ["two"]));
    await expect(all.reload(settings("two"), settings("zero"))).rejects.toThrow("c refuses two");
    expect(calls.slice(3)).toEqual(["a follows zero", "b follows zero", "c follows zero"]);
    expect(warnings).toEqual(["Cannot restore a: a refuses zero"]);
  });

  it("closes the others when one cannot be closed", async () => {
    const stuck = {
      ...recorder("stuck"),
      close: () => Promise.reject(new Error("the disk is full")),
    };
    const all = features(recorder("a"), stuck, recorder("b"));
    await all.start(settings("one"));
    await all.close({ flush: false, started: true });
    expect(calls.slice(3)).toEqual(["b closes", "a closes"]);
    expect(warnings).toEqual(["Cannot close stuck: the disk is full"]);
  });

  it("joins the keys and the warnings of the status", () => {
    const all = features(
      { name: "a", status: () => ({ dryRun: true }), warnings: (now) => [`a warns at ${now}`] },
      { name: "b", status: (now) => ({ pid: now }), warnings: () => ["b warns"] },
    );
    expect(all.status(7)).toEqual({ dryRun: true, pid: 7 });
    expect(all.warnings(7)).toEqual(["a warns at 7", "b warns"]);
  });
});

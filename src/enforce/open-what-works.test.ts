import { describe, expect, it } from "vitest";
import type { TargetSpec } from "./enforcer.ts";
import { openWhatWorks } from "./open-what-works.ts";

const spec = (name: string): TargetSpec => ({ name, enforcer: "ipset" });
const specs = (names: string): readonly TargetSpec[] => names.split(" ").map(spec);
const namesOf = (some: readonly TargetSpec[]): string => some.map(({ name }) => name).join(" ");

/** An enforcer that cannot open some targets. It keeps what it had when a call rejects. */
function enforcer(...broken: readonly string[]) {
  const opened: string[] = [];
  return {
    /** What each call that succeeded opened. */
    opened,
    open: async (some: readonly TargetSpec[]): Promise<void> => {
      const first = some.find(({ name }) => broken.includes(name));
      if (first !== undefined) throw new Error(`no set of ${first.name}`);
      opened.push(namesOf(some));
    },
  };
}

describe("openWhatWorks", () => {
  it("opens all in one call when it can", async () => {
    const { opened, open } = enforcer();
    const wanted = specs("a b");
    expect(await openWhatWorks(wanted, [], open)).toEqual({ specs: wanted, faults: new Map() });
    expect(opened).toEqual(["a b"]);
  });

  it("leaves out the one that cannot be opened, with all its ways", async () => {
    const { opened, open } = enforcer("b");
    const { specs: some, faults } = await openWhatWorks(specs("a b c b a"), specs("a c"), open);
    expect(namesOf(some)).toBe("a c a");
    expect([...faults]).toEqual([["b", new Error("no set of b")]]);
    expect(opened).toEqual(["a c a"]);
  });

  it("never leaves out one that is open, when several others cannot be opened", async () => {
    const { opened, open } = enforcer("b", "d");
    const { specs: some, faults } = await openWhatWorks(specs("a b c d e"), specs("a c"), open);
    expect(namesOf(some)).toBe("a c e");
    expect([...faults.keys()]).toEqual(["b", "d"]);
    expect(opened).toEqual(["a c", "a c e"]);
  });

  it("finds those that still work when several of the open ones do not any more", async () => {
    const { open } = enforcer("a", "c");
    const { specs: some, faults } = await openWhatWorks(specs("a b c"), specs("a b c"), open);
    expect(namesOf(some)).toBe("b");
    expect([...faults.keys()]).toEqual(["a", "c"]);
  });

  it("opens nothing when nothing can be opened", async () => {
    const { open } = enforcer("a", "b");
    expect((await openWhatWorks(specs("a"), [], open)).specs).toEqual([]);
    const both = await openWhatWorks(specs("a b"), [], open);
    expect(both.specs).toEqual([]);
    expect([...both.faults.keys()]).toEqual(["a", "b"]);
  });
});

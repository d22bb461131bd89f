import { describe, expect, it } from "vitest";
import { parseAddress } from "../../src/core/address.ts";
import { compileFilter } from "../../src/match/filter/filter.ts";
import { loadFilterFile } from "../../src/config/find-filter.ts";
import { createMatcher } from "../../src/match/matcher.ts";
import { fixedZone } from "../../src/match/time/time-zone.ts";
import { filterDefinitions } from "../patterns/pattern-set.ts";
import { attacker } from "./attackers.ts";
import { type Contents, type CorpusSpec, generate } from "./corpus.ts";
import { SERVICES, type ServiceName } from "./services.ts";

const END = Date.UTC(2026, 10, 20, 14, 44, 48);
const spec = { lines: 3000, failures: 0.5, attackers: 400, visits: "skewed", rate: 100, seed: 1 } as const;
const names = Object.keys(SERVICES) as ServiceName[];

function make(of: CorpusSpec): { text: string; contents: Contents } {
  const blocks = generate(of, END);
  let text = "";
  for (let next = blocks.next(); ; next = blocks.next()) {
    if (next.done === true) return { text, contents: next.value };
    text += next.value;
  }
}

/** The plain engine's failures in a text. */
function found(text: string, definitions: Parameters<typeof compileFilter>[0][]) {
  const filters = definitions.flatMap((definition) => compileFilter(definition).filter ?? []);
  const seen = { failures: 0, good: 0, addressSum: 0, undated: 0 };
  const bytes = Buffer.from(text, "latin1");
  const batch = { bytes, start: 0, end: bytes.length, backlog: false };
  createMatcher(filters, { engine: "naive" }).scan(batch, { now: END, zone: fixedZone(0) }, (failure) => {
    if (failure.kind === "good") seen.good++;
    else seen.failures++;
    if (failure.at === null) seen.undated++;
    seen.addressSum = (seen.addressSum + (failure.address?.w3 ?? 0)) >>> 0;
  });
  return seen;
}

describe("a corpus", () => {
  it.each(names)("of %s holds what it says, by the library's own filter", (service) => {
    const { text, contents } = make({ ...spec, service });
    const { definition } = loadFilterFile(SERVICES[service].filter);
    const { failures, addressSum } = contents;
    expect(failures).toBe(1500);
    expect(text.split("\n").length - 1).toBe(contents.lines);
    expect(Buffer.byteLength(text)).toBe(contents.bytes);
    expect(found(text, [definition!])).toEqual({ failures, good: 0, addressSum, undated: 0 });
  });

  it.each(names)("of %s holds what it says, by the bench's hundred patterns", (service) => {
    const { text, contents } = make({ ...spec, service });
    const { failures, addressSum } = contents;
    expect(found(text, [...filterDefinitions(100)])).toEqual({ failures, good: 0, addressSum, undated: 0 });
  });

  it("is the same for the same parameters and another for another seed", () => {
    const one = make({ ...spec, service: "sshd" }).text;
    expect(make({ ...spec, service: "sshd" }).text).toBe(one);
    expect(make({ ...spec, service: "sshd", seed: 2 }).text).not.toBe(one);
  });

  it("gives passing attackers equally many failures each", () => {
    const { contents } = make({ ...spec, service: "sshd", failures: 1, attackers: 300, visits: "passing" });
    expect(contents.atLeast).toMatchObject({ 1: 300, 10: 300 });
  });
});

describe("attackers", () => {
  it("have addresses of their own, which Stoplog reads as they are meant", () => {
    const seen = new Set<string>();
    for (const n of [...Array(40_000).keys(), ...Array.from({ length: 40_000 }, (_, i) => 90_000 + i * 31)]) {
      const { text, word } = attacker(n);
      seen.add(text);
      expect((parseAddress(text)?.w3 ?? 0) >>> 0).toBe(word);
    }
    expect(seen.size).toBe(
      new Set([...Array(40_000).keys(), ...Array.from({ length: 40_000 }, (_, i) => 90_000 + i * 31)]).size,
    );
  });
});

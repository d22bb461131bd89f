import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { address, type Address, V4_MARK } from "../core/address.ts";
import { hostPrefix } from "../core/prefix.ts";
import { Evidence } from "./evidence.ts";

const host = (n: number): Address => address(0, 0, V4_MARK, n);

describe("Evidence", () => {
  it("finds the lines of an address, oldest first", () => {
    const evidence = new Evidence({ lines: 100, bans: 10 });
    for (let i = 0; i < 30; i++) evidence.remember(host(i % 3), `line ${i}`);
    expect(evidence.of(hostPrefix(host(1))).slice(-3)).toEqual(["line 22", "line 25", "line 28"]);
    expect(evidence.of(hostPrefix(host(7)))).toEqual([]);
  });

  it("keeps the lines of a banned address when a flood overwrites the ring", () => {
    const evidence = new Evidence({ lines: 50, bans: 10 });
    evidence.remember(host(1), "first");
    evidence.remember(host(1), "second");
    evidence.keep(hostPrefix(host(1)), 5);
    for (let i = 0; i < 500; i++) evidence.remember(host(2 + (i % 7)), `flood ${i}`);
    expect(evidence.of(hostPrefix(host(1)))).toEqual(["first", "second"]);
    expect([evidence.lines, evidence.forgotten]).toEqual([50, 452]);
  });

  it("never shows a line that was overwritten, in any chain", () => {
    const evidence = new Evidence({ lines: 4, bans: 2 });
    for (let i = 0; i < 1000; i++) {
      evidence.remember(host(i % 5), `${i % 5}: ${i}`);
      const lines = evidence.of(hostPrefix(host(i % 5)));
      expect(lines.every((line) => line.startsWith(`${i % 5}: `) && Number(line.slice(3)) > i - 4)).toBe(
        true,
      );
    }
  });

  it("evicts the lines of the oldest ban when there are too many, and counts it [limit: evidenceBans]", () => {
    const evidence = new Evidence({ lines: 10, bans: 2 });
    for (let n = 1; n <= 3; n++) {
      evidence.remember(host(n), `line ${n}`);
      evidence.keep(hostPrefix(host(n)), 5);
    }
    for (let i = 0; i < 20; i++) evidence.remember(host(9), "flood");
    expect([1, 2, 3].map((n) => evidence.of(hostPrefix(host(n))))).toEqual([[], ["line 2"], ["line 3"]]);
    expect(evidence.forgottenBans).toBe(1);
  });

  it("forgets the oldest line when the ring is full, and counts it [limit: evidenceLines]", () => {
    const evidence = new Evidence({ lines: 10, bans: 2 });
    for (let i = 0; i < 13; i++) evidence.remember(host(1), `line ${i}`);
    expect([evidence.lines, evidence.forgotten]).toEqual([10, 3]);
    expect(evidence.of(hostPrefix(host(1)))[0]).toBe("line 3");
  });

  it("forgets the oldest lines when long ones need their room, and keeps the rest intact", () => {
    const length = fc.nat(400);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.array(length, { maxLength: 80 }), (size, lengths) => {
        const evidence = new Evidence({ lines: size, bans: 1 });
        const told = lengths.map((n, i) => `${i}:${"abcdefghij"[i % 10]?.repeat(n)}`);
        for (const line of told) evidence.remember(host(1), line);
        const kept = evidence.of(hostPrefix(host(1)));
        const cut = told.map((line) => line.slice(0, 256));
        expect(kept).toEqual(cut.slice(cut.length - kept.length));
        expect(evidence.lines + evidence.forgotten).toBe(told.length);
        expect(kept.length).toBe(evidence.lines);
        // The unused bytes, at the end of the buffer and before the oldest line, are fewer than one line.
        const bytes = kept.reduce((sum, line) => sum + line.length, 0);
        const isFull = kept.length === Math.min(size, told.length) || bytes + 512 > Math.max(size * 128, 256);
        expect(isFull).toBe(true);
      }),
    );
  });

  it("truncates long lines and keeps arbitrary bytes", () => {
    const evidence = new Evidence({ lines: 10, bans: 2 });
    evidence.remember(host(1), `\x00\xff${"x".repeat(9000)}`);
    expect(evidence.of(hostPrefix(host(1)))).toEqual([`\x00\xff${"x".repeat(254)}`]);
  });
});

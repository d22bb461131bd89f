import { describe, expect, it } from "vitest";
import { ban } from "../../test/support/stand-in-daemon.ts";
import { styleFor } from "../cli/output/terminal.ts";
import { MAXRETRY, plan } from "./plan.ts";
import { heading, row, summaryLines } from "./rows.ts";
import type { Second } from "./second.ts";
import { logLine } from "./service.ts";
import { type Findings, summarise } from "./summary.ts";

const BEGUN = Date.parse("2026-11-20T14:00:00.000Z");
const plain = styleFor({ isTTY: false, env: {} });
const small = plan(1, 2, false);

const second = (through: number, more: Partial<Second> = {}): Second => ({
  second: 1,
  tried: 20,
  through,
  unanswered: 20 - through,
  failed: 0,
  missed: 0,
  users: 20,
  served: 20,
  bans: null,
  daemonCpuPercent: null,
  ...more,
});

/** `times` failures, 10 ms apart, the first at `from` milliseconds. */
const failures = (address: string, times: number, from: number): string =>
  Array.from({ length: times }, (_, i) =>
    logLine(new Date(BEGUN + from + i * 10), 1000 + i, {
      good: false,
      user: "root",
      address,
      port: 4000 + i,
    }),
  ).join("");

const good = logLine(new Date(BEGUN), 1, { good: true, user: "alice", address: "192.0.2.65", port: 4000 });

const findings: Findings = {
  startedInMs: 300,
  begun: BEGUN,
  log: good + failures("198.51.100.1", MAXRETRY, 0) + failures("2001:db8:bad:5::1", MAXRETRY + 2, 100),
  bans: [
    ban("198.51.100.1", { since: "2026-11-20T14:00:00.043Z" }),
    ban("2001:db8:bad:5::1", { since: "2026-11-20T14:00:00.150Z" }),
  ],
  cpuMs: 50,
  memoryBytes: 50 * 1024 * 1024,
  kernel: { ipv4: 1, ipv6: 1 },
};

const phases = [
  { stoplog: false, seconds: [second(20)] },
  { stoplog: true, seconds: [second(12, { bans: 2, daemonCpuPercent: 5 })] },
] as const;

describe("summarise()", () => {
  it("measures bans from the start of the flood, and reactions from the last failure in the log", () => {
    expect(summarise(small, phases, findings)).toMatchObject({
      needed: 10,
      late: 2,
      banned: 2,
      firstBanMs: 43,
      lastBanMs: 150,
      reactionMs: { median: 10, worst: 10 },
      daemon: { cpuPercent: 5 },
      without: { tried: 20, through: 20, throughPerSecond: 20, served: 20 },
      with: { through: 12, throughLastSecond: 12 },
    });
  });

  it("has no times without bans", () => {
    const nothing = summarise(small, phases, { ...findings, bans: [], log: "" });
    expect(nothing).toMatchObject({
      banned: 0,
      firstBanMs: null,
      lastBanMs: null,
      reactionMs: null,
      late: 0,
    });
    expect(summaryLines(nothing, plain).join("\n")).toContain("none; this is a bug");
  });
});

describe("summaryLines()", () => {
  it("prints the counts of nft, or that nft is missing", () => {
    const text = summaryLines(summarise(small, phases, findings), plain).join("\n");
    expect(text).toContain(
      "20 attempts a second without Stoplog; with it 12 in all, and 12 in the last second",
    );
    expect(text).toContain("(5 of each attacker must be seen first, 10 in all; 2 got through after those)");
    expect(text).toContain("2 of 2 attackers; the first 43 ms after the flood began, the last after 150 ms");
    expect(text).toContain("holds 1 IPv4 and 1 IPv6 addresses, counted by nft");
    expect(text).not.toContain("Too slow");
    const blind = summarise(small, phases, { ...findings, kernel: null });
    expect(summaryLines(blind, plain).join("\n")).toContain("not counted: nft is not installed");
  });

  it("never rounds up to 100 %, and reports a flood that was too small", () => {
    const lame = [
      phases[0],
      { stoplog: true, seconds: [second(12, { users: 20_000, served: 19_999, missed: 7 })] },
    ] as const;
    const text = summaryLines(summarise(small, lame, findings), plain).join("\n");
    expect(text).toContain("99.9 % (19,999 of 20,000) with it");
    expect(text).toContain("7 attempts were not made");
  });
});

describe("row()", () => {
  it("is aligned with its heading, with a bar only on a terminal", () => {
    const look = { bars: false, style: plain };
    expect(heading(plain)).toBe(" time  tried  got through  users served  banned    CPU");
    expect(row(second(20), small, look)).toBe("  1 s     20           20      20 of 20       -      -");
    expect(row(second(0, { bans: 2, daemonCpuPercent: 4.6 }), small, look)).toBe(
      "  1 s     20            0      20 of 20       2    5 %",
    );
    const bars = { bars: true, style: plain };
    expect(row(second(20), small, bars)).toMatch(/ - {2}█{20}$/);
    expect(row(second(10), small, bars)).toMatch(/ - {2}█{10}$/);
    expect(row(second(0), small, bars)).toMatch(/ -$/);
  });
});

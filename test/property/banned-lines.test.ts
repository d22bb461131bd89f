import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Address, formatAddress } from "../../src/core/address.ts";
import type { LineMatch } from "../../src/core/line-match.ts";
import { createMatcher, type Matcher } from "../../src/match/matcher.ts";
import { CONTEXT, readLibrary } from "../filters/library.ts";

// Law: every failure of a host that is not banned is found, whatever else an attacker wrote into the line.

const BANNED = "203.0.113.66";
const OTHER = "198.51.100.7";

function seen(matcher: Matcher, lines: readonly string[], isBanned: (host: Address) => boolean) {
  const before = matcher.stats.banned;
  const failures: LineMatch[] = [];
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""), "latin1");
  const banned = { isBanned: (_: number, host: Address) => isBanned(host), skipped: () => undefined };
  const context = { ...CONTEXT, banned };
  matcher.scan({ bytes, start: 0, end: bytes.length, backlog: false }, context, (one) => failures.push(one));
  return { failures, skipped: matcher.stats.banned - before };
}

/** Matches that must be found: every good line, and every failure of a host that is not banned. */
function required(plain: Matcher, lines: readonly string[], isBanned: (host: Address) => boolean): string[] {
  const all: string[] = [];
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""), "latin1");
  plain.scan({ bytes, start: 0, end: bytes.length, backlog: false }, CONTEXT, (one) => {
    if (one.kind === "good" || one.address === null || !isBanned(one.address)) all.push(textOf(one));
  });
  return all;
}

function textOf(failure: LineMatch): string {
  return `${failure.filter} ${failure.kind} ${failure.host} in ${failure.line}`;
}

const byAddress = (host: Address): boolean => formatAddress(host) === BANNED;
const library = readLibrary();
const filters = library.flatMap(({ filter }) => filter ?? []);
const addresses = /\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7}\b/g;

describe("lines from banned hosts", () => {
  it("hide no other host, for every filter and sample, with banned addresses quoted in the line", () => {
    const plants = [
      "",
      ` from ${BANNED} `,
      `${BANNED} port 22`,
      `SRC=${BANNED}`,
      `, client: ${BANNED}, `,
      `rip=${BANNED}`,
      `[${BANNED}]`,
    ];
    for (const { filter, samples } of library) {
      if (filter === null) continue;
      const texts = samples.flatMap(({ line }) =>
        plants.flatMap((plant) =>
          [BANNED, OTHER].map((own) => plantedIn(line.replace(addresses, own), plant)),
        ),
      );
      const found = new Set(seen(createMatcher([filter]), texts, byAddress).failures.map(textOf));
      const plain = createMatcher([filter], { engine: "naive" });
      expect(required(plain, texts, byAddress).filter((one) => !found.has(one))).toEqual([]);
    }
  }, 120_000);

  it("hide no other host when words of all logs are mixed at random", () => {
    const words = fc.constantFrom(
      " from ",
      "Failed password for root from ",
      "SRC=",
      ", client: ",
      "rip=",
      "[",
      "]",
      " port 22 ssh2",
      " DST=",
      "invalid user ",
      ":",
      BANNED,
      OTHER,
      "2001:db8::1",
      `::ffff:${BANNED}`,
      `${BANNED}.`,
      `${BANNED}x`,
      "host",
      "x",
    );
    const heads = fc.constantFrom(
      "Nov 20 14:44:48 host sshd[1]: ",
      "Nov 20 14:44:48 host kernel: IN=eth0 OUT= ",
      "",
    );
    const line = fc
      .tuple(heads, fc.array(words, { maxLength: 9, size: "max" }))
      .map(([head, rest]) => head + rest.join(""));
    const matcher = createMatcher(filters);
    const plain = createMatcher(filters, { engine: "naive" });
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 20, size: "max" }), (lines) => {
        const found = seen(matcher, lines, byAddress).failures.map(textOf);
        expect(found).toEqual(expect.arrayContaining(required(plain, lines, byAddress)));
      }),
      { numRuns: 300 },
    );
  });

  it("are skipped in a flood", () => {
    const sshd = library.find(({ name }) => name === "sshd")?.filter;
    if (sshd === null || sshd === undefined) throw new Error("filter sshd is missing");
    const lines = Array<string>(100).fill(
      `Nov 20 14:44:48 host sshd[1]: Failed password for root from ${BANNED} port 4711 ssh2`,
    );
    expect(seen(createMatcher([sshd]), lines, () => true)).toEqual({ failures: [], skipped: 100 });
  });
});

/** Puts text where an attacker could write it: in place of the user name, or in the middle. */
function plantedIn(line: string, plant: string): string {
  if (plant === "") return line;
  const half = Math.floor(line.length / 2);
  return /root|admin|alice/.test(line)
    ? line.replace(/root|admin|alice/, `x${plant}x`)
    : line.slice(0, half) + plant + line.slice(half);
}

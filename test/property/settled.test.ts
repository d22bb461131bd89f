import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Address, formatAddress } from "../../src/core/address.ts";
import type { Failure } from "../../src/core/failure.ts";
import { createMatcher, type Matcher } from "../../src/match/matcher.ts";
import { CONTEXT, readLibrary } from "../filters/library.ts";

/** The law of the short cut: whoever is not settled is seen, whatever else an attacker wrote into his line. */

const BANNED = "203.0.113.66";
const FREE = "198.51.100.7";

function seen(matcher: Matcher, lines: readonly string[], settled: (host: Address) => boolean) {
  const before = matcher.stats.settled;
  const failures: Failure[] = [];
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""), "latin1");
  const settling = { isSettled: (_: number, host: Address) => settled(host), passOver: () => undefined };
  const context = { ...CONTEXT, settling };
  matcher.scan({ bytes, start: 0, end: bytes.length, backlog: false }, context, (one) => failures.push(one));
  return { failures, passedOver: matcher.stats.settled - before };
}

/** What must be seen: every good line, and every failure of somebody who is not settled. */
function wanted(plain: Matcher, lines: readonly string[], settled: (host: Address) => boolean): string[] {
  const all: string[] = [];
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""), "latin1");
  plain.scan({ bytes, start: 0, end: bytes.length, backlog: false }, CONTEXT, (one) => {
    if (one.kind === "good" || one.address === null || !settled(one.address)) all.push(textOf(one));
  });
  return all;
}

function textOf(failure: Failure): string {
  return `${failure.filter} ${failure.kind} ${failure.host} in ${failure.line}`;
}

const isBanned = (host: Address): boolean => formatAddress(host) === BANNED;
const library = readLibrary();
const filters = library.flatMap(({ filter }) => filter ?? []);
const addresses = /\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7}\b/g;

describe("lines that nothing new can come of", () => {
  it("hide nobody, for every filter and sample with every address banned or free, and others' quoted", () => {
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
          [BANNED, FREE].map((own) => plantedIn(line.replace(addresses, own), plant)),
        ),
      );
      const found = new Set(seen(createMatcher([filter]), texts, isBanned).failures.map(textOf));
      const plain = createMatcher([filter], { engine: "naive" });
      expect(wanted(plain, texts, isBanned).filter((one) => !found.has(one))).toEqual([]);
    }
  }, 120_000);

  it("hide nobody when words of all logs are mixed at random", () => {
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
      FREE,
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
        const found = seen(matcher, lines, isBanned).failures.map(textOf);
        expect(found).toEqual(expect.arrayContaining(wanted(plain, lines, isBanned)));
      }),
      { numRuns: 300 },
    );
  });

  it("are passed over where a flood writes them", () => {
    const sshd = library.find(({ name }) => name === "sshd")?.filter;
    if (sshd === null || sshd === undefined) throw new Error("there is no filter sshd");
    const lines = Array<string>(100).fill(
      `Nov 20 14:44:48 host sshd[1]: Failed password for root from ${BANNED} port 4711 ssh2`,
    );
    expect(seen(createMatcher([sshd]), lines, () => true)).toEqual({ failures: [], passedOver: 100 });
  });
});

/** Puts text where an attacker could have written it: in the place of the user, or in the middle. */
function plantedIn(line: string, plant: string): string {
  if (plant === "") return line;
  const half = Math.floor(line.length / 2);
  return /root|admin|alice/.test(line)
    ? line.replace(/root|admin|alice/, `x${plant}x`)
    : line.slice(0, half) + plant + line.slice(half);
}

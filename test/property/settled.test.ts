import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Address, formatAddress } from "../../src/core/address.ts";
import type { Sighting } from "../../src/core/sighting.ts";
import type { CompiledFilter } from "../../src/match/filter.ts";
import { createMatcher } from "../../src/match/matcher.ts";
import { CONTEXT, readLibrary } from "../filters/library.ts";

/** The law of the short cut: whoever is not settled is seen, whatever else an attacker wrote into his line. */

const BANNED = "203.0.113.66";
const FREE = "198.51.100.7";

function seen(
  filters: readonly CompiledFilter[],
  lines: readonly string[],
  settled: (host: Address) => boolean,
) {
  const matcher = createMatcher(filters);
  const sightings: Sighting[] = [];
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""), "latin1");
  const settling = { isSettled: (_: number, host: Address) => settled(host), passOver: () => undefined };
  const context = { ...CONTEXT, settling };
  matcher.scan({ bytes, start: 0, end: bytes.length, backlog: false }, context, (one) => sightings.push(one));
  return { sightings, passedOver: matcher.stats.settled };
}

/** What must be seen: every good line, and every failure of somebody who is not settled. */
function wanted(
  filters: readonly CompiledFilter[],
  lines: readonly string[],
  settled: (host: Address) => boolean,
): string[] {
  const all: string[] = [];
  const matcher = createMatcher(filters, { engine: "naive" });
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""), "latin1");
  matcher.scan({ bytes, start: 0, end: bytes.length, backlog: false }, CONTEXT, (one) => {
    if (one.kind === "good" || one.address === null || !settled(one.address)) all.push(textOf(one));
  });
  return all;
}

function textOf(sighting: Sighting): string {
  return `${sighting.filter} ${sighting.kind} ${sighting.host} in ${sighting.line}`;
}

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
      for (const { line } of samples) {
        for (const plant of plants) {
          for (const own of [BANNED, FREE]) {
            const text = plantedIn(line.replace(addresses, own), plant);
            const isBanned = (host: Address): boolean => formatAddress(host) === BANNED;
            const found = seen([filter], [text], isBanned).sightings.map(textOf);
            expect(found).toEqual(expect.arrayContaining(wanted([filter], [text], isBanned)));
          }
        }
      }
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
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 20, size: "max" }), (lines) => {
        const isBanned = (host: Address): boolean => formatAddress(host) === BANNED;
        const found = seen(filters, lines, isBanned).sightings.map(textOf);
        expect(found).toEqual(expect.arrayContaining(wanted(filters, lines, isBanned)));
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
    expect(seen([sshd], lines, () => true)).toEqual({ sightings: [], passedOver: 100 });
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

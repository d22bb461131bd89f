import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAddress } from "../../src/core/address.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { cutsAt } from "../../src/match/cut/cuts.ts";
import { createMatcher, type Matcher } from "../../src/match/matcher.ts";
import { runs } from "../support/budget.ts";
import { PHRASES, VICTIM } from "./forging.ts";
import { CONTEXT, readLibrary } from "./library.ts";
import { AT, CLIENT, SERVICES } from "./written-services.ts";

/**
 * Law: no line that a service writes of a client's request bans another address than the client's, and none leaves it uncounted, whatever
 * bytes of whatever length the client sends. The services' writers are models from their documentation: what they escape, and where they cut.
 */

const library = new Map(readLibrary().map(({ name, filter }) => [name, filter]));
const matchers = new Map<string, Matcher>();

/** Hosts that the filters find in what was written to a file. */
function hostsIn(filter: string, written: string): string[] {
  const matcher = matchers.get(filter) ?? createMatcher([library.get(filter)!]);
  matchers.set(filter, matcher);
  const { value: bound } = LIMITS.lineBytes;
  const lines = written.split("\n").slice(0, -1);
  const bytes = Buffer.from(lines.map((line) => `${line.slice(0, bound)}\n`).join(""), "latin1");
  const hosts: string[] = [];
  matcher.scan(
    { bytes, start: 0, end: bytes.length, backlog: false },
    { ...CONTEXT, cuts: cutsAt() },
    ({ kind, address, host }) => hosts.push(`${kind} ${address === null ? host : formatAddress(address)}`),
  );
  return hosts;
}

const byteText = fc.string({
  unit: fc.integer({ min: 1, max: 255 }).map((byte) => String.fromCharCode(byte)),
  maxLength: 12,
});
const piece = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...PHRASES) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      `\n${VICTIM} - u [${AT}] "GET /.env HTTP/1.1" 404 1 "-" "sqlmap/1.7"\n`,
      `" 404 1 "-" "-"`,
      '"}',
      '","status":200,',
      "\\",
      '\\"',
      `\0\n<34>Nov 20 14:44:48 box sshd[1]: `,
      `>, method=PLAIN, rip=${VICTIM}, lip=203.0.113.9, session=<a>`,
    ),
  },
  { weight: 2, arbitrary: byteText },
);
/** Pieces, then the last one again and again up to some length. */
const chosen = fc.tuple(
  fc.array(piece, { maxLength: 4 }),
  fc.constantFrom(0, 0, 0, 2959, 5000, 100_000),
  fc.constantFrom("A", "\xff", '"', "\\", " ", "é"),
);

/** Bytes: nginx's error log. */
const SHORTEST_CUT = 2047;

const method = fc.constantFrom("GET", "get", "M-SEARCH", "X_Y");

describe.each(SERVICES)("a line of $name", ({ filter, longest, losesAddress, write }) => {
  const field = chosen.map(([pieces, length, filler]) =>
    pieces.join("").padEnd(Math.min(length, longest), filler).slice(0, longest),
  );

  it("counts against its sender, and against no other address", () => {
    fc.assert(
      fc.property(
        fc.record({ method, user: field, query: field, referer: field, agent: field }),
        (request) => {
          // A URL holds no blank: the request line ends there.
          const written = write({ ...request, query: request.query.replaceAll(" ", "+") });
          const found = hostsIn(filter, written);
          if (losesAddress === true && found.length === 0 && written.length >= SHORTEST_CUT) return;
          expect(found).toEqual([`failure ${CLIENT}`]);
        },
      ),
      { numRuns: runs(600) },
    );
  });
});

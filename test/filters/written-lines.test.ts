import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAddress } from "../../src/core/address.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { cutsAt } from "../../src/match/cut/cuts.ts";
import { createMatcher, type Matcher } from "../../src/match/matcher.ts";
import { runs } from "../support/budget.ts";
import { PHRASES, VICTIM } from "./forging.ts";
import { CONTEXT, readLibrary } from "./library.ts";

/**
 * Law: no line that a service writes of a client's request bans another address than the client's, and none leaves it uncounted, whatever
 * bytes of whatever length the client sends. The services' writers are models from their documentation: what they escape, and where they cut.
 */

const CLIENT = "192.0.2.77";
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

/** nginx: '"', '\' and bytes below 32 or above 126 as \xXX (ngx_http_log_escape). */
function byNginx(text: string): string {
  return Array.from(text, (char) => {
    const byte = char.charCodeAt(0) & 255;
    const isPlain = byte >= 32 && byte < 127 && char !== '"' && char !== "\\";
    return isPlain ? char : `\\x${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}

/** httpd's ap_escape_logitem. */
function byHttpd(text: string): string {
  const named: Readonly<Record<string, string>> = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
  };
  return Array.from(text, (char) => {
    const byte = char.charCodeAt(0) & 255;
    return named[char] ?? (byte >= 32 && byte < 127 ? char : `\\x${byte.toString(16).padStart(2, "0")}`);
  }).join("");
}

/** Go's and PHP's JSON encoders. */
function byJson(text: string): string {
  return JSON.stringify(text.replaceAll(/[^\0-\x7f]/g, "\ufffd"))
    .slice(1, -1)
    .replaceAll("\ufffd", "\\ufffd");
}

interface Request {
  readonly user: string;
  readonly query: string;
  readonly referer: string;
  readonly agent: string;
}

interface Service {
  readonly name: string;
  readonly filter: string;
  /** The longest field of a request in bytes, before it is escaped. */
  readonly longest: number;
  readonly escape: (text: string) => string;
  readonly write: (fields: Request) => string;
}

const AT = "20/Nov/2026:14:44:48 +0000";
const combined =
  (start: string, status: number) =>
  ({ user, query, referer, agent }: Request): string =>
    `${CLIENT} - ${user} [${AT}] "${start}${query} HTTP/1.1" ${status} 196 "${referer}" "${agent}"\n`;

const SERVICES: readonly Service[] = [
  {
    name: "nginx, a scan",
    filter: "nginx-scan",
    longest: 6000,
    escape: byNginx,
    write: combined("GET /.env?", 404),
  },
  {
    name: "nginx, a log-in",
    filter: "nginx-auth",
    longest: 6000,
    escape: byNginx,
    write: (r) => combined("GET /?", 401)({ ...r, user: `u${r.user}` }),
  },
  {
    name: "nginx, a tool",
    filter: "nginx-bot",
    longest: 6000,
    escape: byNginx,
    write: (r) => combined("GET /?", 200)({ ...r, agent: `sqlmap/1.7 ${r.agent}` }),
  },
  {
    name: "nginx, WordPress",
    filter: "wordpress-access",
    longest: 6000,
    escape: byNginx,
    write: combined("POST /xmlrpc.php?", 200),
  },
  {
    name: "httpd, a scan",
    filter: "apache-scan",
    longest: 6000,
    escape: byHttpd,
    write: combined("GET /.env?", 404),
  },
  {
    name: "httpd, a tool",
    filter: "apache-bot",
    longest: 6000,
    escape: byHttpd,
    write: (r) => combined("GET /?", 200)({ ...r, agent: `sqlmap/1.7 ${r.agent}` }),
  },
  {
    name: "Nextcloud",
    filter: "nextcloud",
    longest: 8000,
    escape: byJson,
    write: ({ user, query, agent }) =>
      `{"reqId":"Zx1","level":2,"time":"2026-11-20T14:44:48+00:00","remoteAddr":"${CLIENT}","user":"--","app":"core","method":"POST","url":"/login?${query}","message":"Login failed: ${user} (Remote IP: ${CLIENT})","userAgent":"${agent}","version":"30.0.0.14","data":{"app":"core"}}\n`,
  },
  {
    name: "Caddy",
    filter: "caddy",
    longest: 8000,
    escape: byJson,
    write: ({ query, referer, agent }) =>
      `{"level":"info","ts":1763649888.123,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"${CLIENT}","remote_port":"40000","client_ip":"${CLIENT}","proto":"HTTP/1.1","method":"GET","host":"example.org","uri":"/x?${query}","headers":{"User-Agent":["${agent}"],"Authorization":[],"Referer":["${referer}"]}},"bytes_read":0,"user_id":"","duration":0.0001,"size":0,"status":401,"resp_headers":{"Server":["Caddy"]}}\n`,
  },
];

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

describe.each(SERVICES)("a line of $name", ({ filter, longest, escape, write }) => {
  const field = chosen.map(([pieces, length, filler]) =>
    escape(pieces.join("").padEnd(Math.min(length, longest), filler).slice(0, longest)),
  );

  it("counts against its sender, and against no other address", () => {
    fc.assert(
      fc.property(fc.record({ user: field, query: field, referer: field, agent: field }), (request) => {
        // A user name and a URL hold no blank: the request line and the name end there.
        const fields = { ...request, query: request.query.replaceAll(" ", "+") };
        expect(hostsIn(filter, write(fields))).toEqual([`failure ${CLIENT}`]);
      }),
      { numRuns: runs(600) },
    );
  });
});

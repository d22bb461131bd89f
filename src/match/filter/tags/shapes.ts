// Regular expressions of addresses and dates in Python's spelling. No lookaround and no count above 16, so V8's linear engine runs them.

const HEX = "[0-9A-Fa-f]+";
const V4 = String.raw`\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}`;
const V6 = [
  String.raw`(?:${HEX}(?::${HEX})*)?::(?:(?:${HEX}:)*${V4}|${HEX}(?::${HEX})*)?`,
  `${HEX}:${HEX}:${HEX}:${HEX}:${HEX}:${HEX}:(?:${HEX}:${HEX}|${V4})`,
].join("|");

// The tails take what continues like a name: '192.0.2.1.example.org' is then read as a name, not as a forged address.

/** An IPv4 address and the tail of a name. */
export const IP4 = String.raw`\b${V4}[\w.\-]*`;
/** An IPv6 address and the tail of a name. */
export const IP6 = String.raw`(?:${V6})[\w.:\-]*`;
/** Either. */
export const ADDRESS = `${IP6}|${IP4}`;

/** The interface of a link-local address: `%eth0`. */
export const SCOPE = String.raw`(?:%[\w.\-]+)?`;

const FRACTION = String.raw`(?:[.,]\d+)?`;
const CLOCK = String.raw`\d?\d:\d\d:\d\d${FRACTION}`;
const ZONE = String.raw`(?: ?(?:Z|UTC|GMT|[+-]\d\d:?(?:\d\d)?))?`;
/** `2026-11-20T`, `2026/11/20 `, `20261120T`. */
const YEAR_FIRST = String.raw`\d{4}[-/.]?\d\d[-/.]?\d\d(?:[Tt]| {1,2})`;
/** `Nov 20 `, `Fri Nov 20 `, `CET Nov 20 `, `Nov 20, 2026 `. */
const NAMED = String.raw`(?:[A-Z][A-Za-z]{2,4} ){0,2}[A-Z][a-z]{2} [ \d]?\d,? (?:\d{4} )?`;
/** `20/Nov/2026:`, `20-Nov-2026 `, `Fri, 20 Nov 2026 `, `11/20/2026:`. */
const DAY_FIRST = String.raw`(?:[A-Z][a-z]{2},? )?\d{1,2}(?:[-/ ][A-Z][a-z]{2}[-/ ]|[-/]\d\d[-/])\d{2,4}[ :]`;
/** `261120 `. */
const MYSQL = String.raw`\d{6} {1,2}`;

/**
 * A date and time in every shape that match/time or fail2ban reads, or a time of day. The order makes the frequent shapes cheap:
 * with one CLOCK for all of them, V8 takes a fifth longer.
 */
export const DATE = `(?:${[
  String.raw`${YEAR_FIRST}(?:${CLOCK}|\d{6}${FRACTION})${ZONE}`,
  String.raw`${NAMED}${CLOCK}(?: \d{4}| [AP]M)?`,
  String.raw`(?:${DAY_FIRST}|${MYSQL})?${CLOCK}${ZONE}`,
  String.raw`\d{10,13}${FRACTION}`,
  "@[0-9a-f]{16}[0-9a-f]{8}",
].join("|")})`;

/** The start of a syslog line up to its message; `daemon` is the program's name. */
export function syslogHead(daemon = String.raw`[^\s\[\]:]+`): string {
  const program = String.raw`(?:/\S*/)?(?:${daemon})`;
  const name = String.raw`${program}(?:\([\w\-]+\))?(?:\[\d+\])?: |\[${program}(?:\(\d+\))?\]:? `; // The second is metalog's.
  const classic = String.raw`(?:${DATES} {1,2}(?:${OUTER})?)*(?:<${PRIORITY}> )?(?:[\w.:@%/\-]*\w )?(?:${PRIORITY} )?(?:${name})(?:\[ *\d+\.\d+\] ?|\[ID \d+ \w+\.\w+\] )?`;
  const modern = String.raw`${structuredHead(program)}(?:\xef\xbb\xbf)?`;
  return String.raw`^(?:[\w.\-]+ *\| )?(?:<\d{1,3}>)?(?:(?:${structuredHead(CONTAINER)})?${classic}|${modern})`;
}

const SECONDS = String.raw`\d\d:\d\d:\d\d${FRACTION}`;
const ISO = String.raw`\d{4}-\d\d-\d\d[T ]${SECONDS}(?: ?(?:Z|[A-Z]{3,4}|[+-]\d\d:?\d\d))?`;
const BSD = String.raw`[A-Z][a-z][a-z] {1,2}\d{1,2} (?:\d{4} )?${SECONDS}(?: \d{4})?`;
/** With the weekday of OpenWrt's logread and of journalctl; TAI64N is svlogd's and multilog's. */
const DATES = String.raw`(?:(?:[A-Z][a-z][a-z] )?(?:${BSD}|${ISO})|\d{10,11}${FRACTION}|@[0-9a-f]+)`;
/** `auth.info`: busybox writes it behind the host, BSD's syslogd with -v as `<auth.info>` or `<4.6>` before it. */
const PRIORITY = String.raw`(?:[a-z]+\d?\.[a-z]+|\d+\.\d)`;
/** A container's tag in Docker's syslog driver: its id, or a name behind `docker/`. */
const CONTAINER = String.raw`(?:[0-9a-f]{12}|docker[/\-][\w./\-]+)`;
/**
 * Behind a date: socklog's priority, the host and tag that Docker adds to a container's line, or a stream of CRI (Kubernetes, Podman).
 * A line of syslog with a date of its own may follow; a repeat instead of a second date keeps the automaton small.
 */
const OUTER = String.raw`(?:${PRIORITY}|(?:[\w.:\-]*\w )?${CONTAINER}\[\d+\]): |std(?:out|err) F `;

/** RFC 5424. */
function structuredHead(program: string): string {
  const structured = String.raw`(?:-|(?:\[(?:[^\]\\]|\\.)*\])+)`;
  return String.raw`1 ${ISO} \S+ ${program} \S+ \S+ ${structured} `;
}

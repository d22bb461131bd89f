import { z } from "zod";
import { parseDuration } from "../core/duration.ts";
import { type PortRange, PROTOCOLS } from "../core/packet.ts";
import { parsePrefix, type Prefix } from "../core/prefix.ts";
import { DAY, type Duration, FOREVER, HOUR, MINUTE, SECOND } from "../core/time.ts";
import { SERVICE_PORTS } from "./service-ports.ts";
import { shorten } from "./shorten.ts";

// The kinds of values that keys have. A message about a wrong value continues the key's name: 'maxretry' + 'must be 1 or more'.
// A kind of source, enforcer or notifier gets this module as an argument: the daemon holds the kinds and does not load zod.

export { z };

/** The names of sources, targets, jails and everything else that a configuration names. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** A written value for a message: `"five"`, `12`, `a list`. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "string" ? `"${shorten(value)}"` : typeof value;
}

export function wholeNumber(least: number, most: number) {
  return z
    .int({ error: (issue) => `must be a whole number, not ${shown(issue.input)}` })
    .min(least, { error: `must be ${least} or more` })
    .max(most, { error: `must be ${most} or less` });
}

export function fraction(least: number, most: number) {
  return z
    .number({ error: (issue) => `must be a number, not ${shown(issue.input)}` })
    .min(least, { error: `must be ${least} or more` })
    .max(most, { error: `must be ${most} or less` });
}

export function flag() {
  return z.boolean({ error: (issue) => `must be true or false, not ${shown(issue.input)}` });
}

export function word<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: (issue) => `must be ${orList(words)}, not ${shown(issue.input)}` });
}

/** The word by which a kind is chosen, as in `type: file`. */
export function kindKey<const Kind extends string>(kind: Kind, description: string) {
  return z.literal(kind).meta({ description, examples: [kind] });
}

/** A text that is not empty. */
export function text(what: string) {
  return z
    .string({ error: (issue) => `must be ${what}, not ${shown(issue.input)}` })
    .min(1, { error: `must be ${what}, not nothing`, abort: true });
}

export function matching(what: string, pattern: RegExp) {
  return text(what).regex(pattern, { error: (issue) => `must be ${what}, not ${shown(issue.input)}` });
}

/** The name of a source, target or jail. */
export function name(what: string) {
  return text(what).regex(NAME, {
    error: (issue) => `must be ${what} of letters, digits, dots, - and _, not ${shown(issue.input)}`,
  });
}

/** An absolute path. */
export function path(what = "an absolute path") {
  return text(what).regex(/^\//, {
    error: (issue) => `must begin with /, not ${shown(issue.input)}`,
    abort: true,
  });
}

/** One value or a list of them; always a list afterwards. */
export function oneOrMore<T extends z.ZodType>(item: T, what: string) {
  return z
    .union([item, z.array(item).min(1, { error: `must be ${what}, not an empty list` })], {
      error: (issue) => `must be ${what}, not ${shown(issue.input)}`,
    })
    .transform((value): z.output<T>[] => (Array.isArray(value) ? value : [value]));
}

/** One value or a list of them, which may be empty; always a list afterwards. */
export function anyNumber<T extends z.ZodType>(item: T, what: string) {
  return z
    .union([item, z.array(item)], { error: (issue) => `must be ${what}, not ${shown(issue.input)}` })
    .transform((value): z.output<T>[] => (Array.isArray(value) ? value : [value]));
}

/** A number or text that `parse` understands; null from it refuses the value. */
export function parsed<T>(what: string, parse: (written: string) => T | null) {
  return z
    .union([z.number(), z.string()], { error: (issue) => `must be ${what}, not ${shown(issue.input)}` })
    .transform((value, context) => parsedOr(what, parse(String(value)), value, context));
}

/** The same for text only. */
export function parsedText<T>(what: string, parse: (written: string) => T | null) {
  return text(what).transform((value, context) => parsedOr(what, parse(value), value, context));
}

/** A text that `check` accepts with null; anything else it returns is the fact against it. */
export function checked(what: string, check: (written: string) => string | null) {
  return text(what).superRefine((value, context) => {
    const fact = check(value);
    if (fact !== null) context.addIssue({ code: "custom", message: fact });
  });
}

/** From one second to `years`; `-1` where a thing may be permanent. */
export function duration({ forever, years }: { readonly forever: boolean; readonly years: number }) {
  const examples = forever ? "10m, 1d12h or -1 (permanent)" : "10m or 1d12h";
  return z
    .union([z.number(), z.string()], {
      error: (issue) => `must be a duration such as ${examples}, not ${shown(issue.input)}`,
    })
    .transform((value, context): Duration => {
      const written = parseDuration(String(value));
      const refuse = (message: string): Duration => {
        context.issues.push({ code: "custom", message, input: value });
        return z.NEVER;
      };
      if (written === FOREVER && String(value).trim() === "-1")
        return forever ? FOREVER : refuse("cannot be permanent");
      if (written === null) return refuse(`must be a duration such as ${examples}, not ${shown(value)}`);
      if (written < SECOND)
        return refuse(forever ? "must be 1s or more, or -1 (permanent)" : "must be 1s or more");
      return written > years * 365.25 * DAY ? refuse(`must be ${years}y or less`) : written;
    });
}

/** Addresses that are never banned: networks, host names, files, and `self` for this machine. */
export function ignoreList() {
  const what = "an address, a network such as 192.0.2.0/24, a host name, file:/PATH or self";
  const entry = parsedText(what, (written): "self" | Prefix | IgnoredElsewhere | null => {
    if (written === "self") return written;
    const [, path] = /^file:(?:\/\/)?(\/.+)$/s.exec(written) ?? [];
    if (path !== undefined) return { kind: "file", path };
    return parsePrefix(written) ?? (HOST_NAME.test(written) ? { kind: "name", name: written } : null);
  });
  return z
    .union([entry, z.array(entry)], {
      error: (issue) => `must be a list of addresses, not ${shown(issue.input)}`,
    })
    .transform((value): ("self" | Prefix | IgnoredElsewhere)[] => (Array.isArray(value) ? value : [value]));
}

type IgnoredElsewhere =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "file"; readonly path: string };

/** RFC 1123, 2.1, with a dot; the last label is not a number, so that no mistyped address is a name. */
export const HOST_NAME =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/** `22`, `"80-90"` or `ssh`. */
export function port() {
  return parsed('a port from 1 to 65535, a range such as "80-90" or a name such as ssh', parsePorts);
}

/** `tcp`, or IANA's number. */
export function protocol() {
  return parsed(`${orList(Object.keys(PROTOCOLS))} or a number from 0 to 255`, (written): number | null => {
    if (Object.hasOwn(PROTOCOLS, written)) return PROTOCOLS[written as keyof typeof PROTOCOLS];
    const number = /^\d{1,3}$/.test(written) ? Number(written) : 256;
    return number <= 255 ? number : null;
  });
}

/** As the kernel takes it (IFNAMSIZ), without characters that would end it in a rule. */
export function interfaceName() {
  return matching("the name of an interface", /^[^\s/:"'\\]{1,15}$/);
}

export interface Rate {
  readonly packets: number;
  readonly per: Duration;
}

/** `10/minute`. */
export function rate() {
  return parsedText("a rate such as 10/minute (second, minute, hour, day)", (written): Rate | null => {
    const [, count = "", unit = ""] = /^(\d{1,7})\/([a-z]+)$/.exec(written.replaceAll(" ", "")) ?? [];
    const per = PERIODS[unit];
    return per !== undefined && Number(count) > 0 ? { packets: Number(count), per } : null;
  });
}

/** A program and its arguments; no shell sees them. */
export function command() {
  return z
    .array(text("a word"), { error: (issue) => `must be a list of words, not ${shown(issue.input)}` })
    .min(1, { error: "must name a program" });
}

/** What iptables, ipset and nft accept as a name: at most 31 characters that need no quoting. */
export function toolName(what: string) {
  return matching(
    `${what} of at most 31 letters, digits, _, ., + and -`,
    /^[A-Za-z0-9][A-Za-z0-9_.+-]{0,30}$/,
  );
}

/** Permissions in octal: `0660`, `"660"`. YAML's number 660 was written 660, so its decimal digits are the octal ones. */
export function fileMode() {
  return parsed("permissions in octal such as 0660", (written) => {
    const [, digits] = /^(?:0o?)?([0-7]{3})$/.exec(written) ?? [];
    return digits === undefined ? null : Number.parseInt(digits, 8);
  });
}

/** An http or https URL without a password: URLs appear in logs, headers do not. */
export function url() {
  return text("a URL").refine(isPlainUrl, {
    error: (issue) => `must begin with https:// or http:// and hold no password, not ${shown(issue.input)}`,
  });
}

/** HTTP headers by name. */
export function headers() {
  return z.record(z.string().regex(/^[A-Za-z0-9-]{1,64}$/), text("a text").regex(/^[\x20-\x7e]*$/));
}

/** `tcp, udp or sctp`. */
export function orList(words: readonly string[]): string {
  return words.length === 1 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

function parsedOr<T>(what: string, result: T | null, input: unknown, context: z.core.$RefinementCtx): T {
  if (result !== null) return result;
  context.issues.push({
    code: "custom",
    message: `must be ${what}, not ${shown(input)}`,
    input,
  } as z.core.$ZodRawIssue);
  return z.NEVER;
}

const PERIODS: Readonly<Record<string, Duration>> = {
  s: SECOND,
  second: SECOND,
  m: MINUTE,
  minute: MINUTE,
  h: HOUR,
  hour: HOUR,
  d: DAY,
  day: DAY,
};

function parsePorts(written: string): PortRange | null {
  const named = Object.hasOwn(SERVICE_PORTS, written) ? SERVICE_PORTS[written] : undefined;
  if (named !== undefined) return { first: named, last: named };
  const [, low = "", high = low] = /^(\d{1,5})(?:\s*[-:]\s*(\d{1,5}))?$/.exec(written) ?? [];
  const range = { first: Number(low), last: Number(high) };
  return range.first >= 1 && range.first <= range.last && range.last <= 65535 ? range : null;
}

function isPlainUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol: scheme, username, password } = new URL(value);
  return (scheme === "https:" || scheme === "http:") && username === "" && password === "";
}

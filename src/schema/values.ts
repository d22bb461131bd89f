import { z } from "zod";
import { parseDuration } from "../core/duration.ts";
import { type PortRange, PROTOCOLS } from "../core/packet.ts";
import { parsePrefix, type Prefix } from "../core/prefix.ts";
import { DAY, type Duration, FOREVER, MINUTE, HOUR, SECOND } from "../core/time.ts";
import { SERVICE_PORTS } from "./service-ports.ts";
import { shorten } from "./shorten.ts";

// Kinds of values that keys of the configuration take. Error messages are predicates that follow the key's name:
// 'maxretry' + 'must be 1 or more'.

export { z };

/** A written value as error messages show it: `"five"`, `12`, `a list`. */
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

export function flag() {
  return z.boolean({ error: (issue) => `must be true or false, not ${shown(issue.input)}` });
}

export function word<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: (issue) => `must be ${orList(words)}, not ${shown(issue.input)}` });
}

/** Any text but none. */
export function text(what: string) {
  return z
    .string({ error: (issue) => `must be ${what}, not ${shown(issue.input)}` })
    .min(1, { error: `must be ${what}, not nothing`, abort: true });
}

/** The name of a source, target or jail. */
export function name(what: string) {
  return text(what).regex(NAME, {
    error: (issue) => `must be ${what} of letters, digits, dots, - and _, not ${shown(issue.input)}`,
  });
}

export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** An absolute path. */
export function path(what: string) {
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

/** From one second to `years`; `-1` where a thing may last for ever. */
export function duration({ forever, years }: { readonly forever: boolean; readonly years: number }) {
  const examples = forever ? "10m, 1d12h or -1 for ever" : "10m or 1d12h";
  return z
    .union([z.number(), z.string()], {
      error: (issue) => `must be a duration such as ${examples}, not ${shown(issue.input)}`,
    })
    .transform((value, context): Duration => {
      const parsed = parseDuration(String(value));
      const refuse = (message: string): Duration => {
        context.issues.push({ code: "custom", message, input: value });
        return z.NEVER;
      };
      if (parsed === FOREVER && String(value).trim() === "-1") {
        return forever ? FOREVER : refuse("must have an end");
      }
      if (parsed === null) return refuse(`must be a duration such as ${examples}, not ${shown(value)}`);
      if (parsed < SECOND)
        return refuse(forever ? "must be 1s or more, or -1 for ever" : "must be 1s or more");
      return parsed > years * 365.25 * DAY ? refuse(`must be ${years}y or less`) : parsed;
    });
}

/** Who is never banned: networks, and `self` for this machine. */
export function ignoreList() {
  const what = "an address, a network such as 192.0.2.0/24 or self";
  const entry = text(what).transform((value, context): Prefix | "self" => {
    if (value === "self") return "self";
    const prefix = parsePrefix(value);
    if (prefix !== null) return prefix;
    context.issues.push({ code: "custom", message: `must be ${what}, not ${shown(value)}`, input: value });
    return z.NEVER;
  });
  return z
    .union([entry, z.array(entry)], {
      error: (issue) => `must be a list of addresses, not ${shown(issue.input)}`,
    })
    .transform((value) => (Array.isArray(value) ? value : [value]));
}

/** `22`, `"80-90"` or `ssh`. */
export function port() {
  const what = 'a port from 1 to 65535, a range such as "80-90" or a name such as ssh';
  return z
    .union([z.number(), z.string()], { error: (issue) => `must be ${what}, not ${shown(issue.input)}` })
    .transform((value, context): PortRange => {
      const range = parsePorts(String(value));
      if (range !== null) return range;
      context.issues.push({ code: "custom", message: `must be ${what}, not ${shown(value)}`, input: value });
      return z.NEVER;
    });
}

export interface Rate {
  readonly packets: number;
  readonly per: Duration;
}

/** As the kernel takes it (IFNAMSIZ), without what would end it in a rule. */
export function interfaceName() {
  return text("the name of an interface").regex(/^[^\s/:"'\\]{1,15}$/, {
    error: (issue) => `must be the name of an interface, not ${shown(issue.input)}`,
  });
}

/** `tcp`, or IANA's number. */
export function protocol() {
  const what = `${orList(Object.keys(PROTOCOLS))} or a number from 0 to 255`;
  return z
    .union([z.number(), z.string()], { error: (issue) => `must be ${what}, not ${shown(issue.input)}` })
    .transform((value, context): number => {
      const named = Object.hasOwn(PROTOCOLS, value) ? PROTOCOLS[value as keyof typeof PROTOCOLS] : undefined;
      const number = named ?? (/^\d{1,3}$/.test(String(value)) ? Number(value) : 256);
      if (number <= 255) return number;
      context.issues.push({ code: "custom", message: `must be ${what}, not ${shown(value)}`, input: value });
      return z.NEVER;
    });
}

/** `10/minute`. */
export function rate() {
  const what = "a rate such as 10/minute (second, minute, hour, day)";
  return text(what).transform((value, context): Rate => {
    const [, count = "", unit = ""] = /^(\d{1,7})\/([a-z]+)$/.exec(value.replaceAll(" ", "")) ?? [];
    const per = PERIODS[unit];
    if (per !== undefined && Number(count) > 0) return { packets: Number(count), per };
    context.issues.push({ code: "custom", message: `must be ${what}, not ${shown(value)}`, input: value });
    return z.NEVER;
  });
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

/** A program and its arguments, which no shell sees. */
export function command() {
  return z
    .array(text("a word"), { error: (issue) => `must be a list of words, not ${shown(issue.input)}` })
    .min(1, { error: "must name a program" });
}

/** What iptables and ipset call by name: no more than 31 characters, none of which a shell or a rule's text could take amiss. */
export function toolName(what: string) {
  return text(what).regex(/^[A-Za-z0-9][A-Za-z0-9_.+-]{0,30}$/, {
    error: (issue) =>
      `must be ${what} of at most 31 letters, digits, _, ., + and -, not ${shown(issue.input)}`,
  });
}

/** Permissions in octal: `0660`, `"660"`. A number has lost how it was written, and is read by its digits. */
export function fileMode() {
  const what = "permissions in octal such as 0660";
  return z
    .union([z.string(), z.number()], { error: (issue) => `must be ${what}, not ${shown(issue.input)}` })
    .transform((value, context): number => {
      const [, digits] = /^(?:0o?)?([0-7]{3})$/.exec(String(value)) ?? [];
      if (digits !== undefined) return Number.parseInt(digits, 8);
      context.issues.push({ code: "custom", message: `must be ${what}, not ${shown(value)}`, input: value });
      return z.NEVER;
    });
}

function parsePorts(written: string): PortRange | null {
  const named = Object.hasOwn(SERVICE_PORTS, written) ? SERVICE_PORTS[written] : undefined;
  if (named !== undefined) return { first: named, last: named };
  const [, low = "", high = low] = /^(\d{1,5})(?:\s*[-:]\s*(\d{1,5}))?$/.exec(written) ?? [];
  const range = { first: Number(low), last: Number(high) };
  return range.first >= 1 && range.first <= range.last && range.last <= 65535 ? range : null;
}

function orList(words: readonly string[]): string {
  return words.length === 1 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

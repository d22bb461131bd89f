import { parseDuration } from "../core/duration.ts";
import { LIMITS } from "../core/limits.ts";
import type { Order, OrderKind } from "../core/order.ts";
import { parsePrefix } from "../core/prefix.ts";
import { excerpt, printablePhrase } from "../core/printable.ts";
import { type Duration, type Instant, SECOND } from "../core/time.ts";

/**
 * Parses an order from JSON. Returns a phrase that says what is wrong with an invalid one.
 *
 *      {"order":"ban","address":"192.0.2.1","duration":"1h","target":"default","reason":"scored 0.98","id":"17"}
 *
 * Only `address`, an address or network, is required. `until` is a ban's end in place of `duration`; `jail` and `times` are the operator's. `order` defaults to `ban`; durations are written as in the configuration, or
 * in seconds. Unknown keys are ignored: the sender may be a newer version.
 */
export function readOrder(text: string): Order | string {
  if (text.length > LIMITS.orderBytes.value) return `it is longer than ${LIMITS.orderBytes.value} bytes`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "it is not valid JSON";
  }
  return orderOf(value);
}

/** The same for a parsed JSON value. */
export function orderOf(value: unknown): Order | string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "it is not a JSON object";
  const written = value as Written;
  const { order = "ban", address, duration = null, target = null, reason = "", id = null } = written;
  if (!isKind(order)) return `order must be ban, unban, allow or unallow, not ${shown(order)}`;
  const prefix = typeof address === "string" ? parsePrefix(address) : null;
  if (prefix === null) return `${shown(address)} is not an IP address or network`;
  const length = duration === null ? null : durationOf(duration);
  if (length === undefined) return `${shown(duration)} is not a duration`;
  if (!isTextOrNull(target)) return "target must be a string";
  if (typeof reason !== "string") return "reason must be a string";
  if (!isTextOrNull(id) && typeof id !== "number") return "id must be a string or a number";
  const more = termsOf(written);
  if (typeof more === "string") return more;
  return {
    kind: order,
    prefix,
    duration: length,
    target,
    reason: printablePhrase(reason, MOST_OF_A_REASON),
    id: id === null ? null : String(id).slice(0, MOST_OF_AN_ID),
    ...more,
  };
}

/** The keys of bans that another program made. */
function termsOf({
  until = null,
  jail = null,
  times = null,
}: Written): Pick<Order, "until" | "jail" | "times"> | string {
  const end = until === null ? null : instantOf(until);
  if (end === undefined) return `${shown(until)} is not a time such as 2026-11-20T15:00:00Z`;
  if (!isTextOrNull(jail)) return "jail must be a string";
  if (times !== null && !isTimes(times)) return "times must be a number from 1";
  return {
    ...(end === null ? {} : { until: end }),
    ...(jail === null ? {} : { jail: printablePhrase(jail, MOST_OF_AN_ID) }),
    ...(times === null ? {} : { times }),
  };
}

type Written = Readonly<
  Partial<
    Record<
      "order" | "address" | "duration" | "until" | "target" | "reason" | "id" | "jail" | "times",
      unknown
    >
  >
>;

const MOST_OF_A_REASON = 200;
const MOST_OF_AN_ID = 128;
const MOST_QUOTED = 40;

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}

function isKind(value: unknown): value is OrderKind {
  return value === "ban" || value === "unban" || value === "allow" || value === "unallow";
}

function durationOf(value: unknown): Duration | undefined {
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  const duration = parseDuration(String(value));
  return duration === null || duration < SECOND ? undefined : duration;
}

function instantOf(value: unknown): Instant | undefined {
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/.test(value))
    return undefined;
  const instant = Date.parse(value);
  return Number.isNaN(instant) ? undefined : instant;
}

function isTimes(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  return typeof value === "string" ? `"${excerpt(value, MOST_QUOTED)}"` : typeof value;
}

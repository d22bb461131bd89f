import { setImmediate as nextTurn } from "node:timers/promises";
import type {
  BanAnswer,
  BanRequest,
  HeldAnswer,
  HeldRequest,
  OrdersAnswer,
  UnbanAnswer,
  UnbanRequest,
} from "../api/wire.ts";
import type { Book } from "../book/book.ts";
import type { Ban } from "../core/ban.ts";
import type { Clock } from "../core/clock.ts";
import { formatDuration, parseDuration } from "../core/duration.ts";
import { StoplogError } from "../core/errors.ts";
import type { Order } from "../core/order.ts";
import { formatPrefix, parsePrefix, type Prefix, prefixOf } from "../core/prefix.ts";
import { type Duration, FOREVER, HOUR, type Instant } from "../core/time.ts";
import type { OrderGate, OrderOutcome } from "../orders/gate.ts";
import { OPERATOR } from "../orders/origin-rules.ts";
import { readOrder } from "../orders/read-order.ts";
import type { Lists } from "../lists/lists.ts";
import { forJail, type OrderedJails, rememberBans } from "./jail-orders.ts";
import type { RunningJail } from "./pipeline.ts";

/** What an order by hand refers to. */
export interface OrderContext {
  readonly gate: OrderGate;
  /** Read only, for the answers. */
  readonly book: Book;
  readonly jails: readonly RunningJail[];
  readonly targets: readonly string[];
}

type Result = BanAnswer["results"][number];

/** Bans by hand. A bad duration, jail or target refuses the whole request; a bad address only itself. */
export function orderBan(request: BanRequest, context: OrderContext, now: Instant): BanAnswer {
  const jail = findJail(request.jail, context);
  const target = request.target ?? jail?.jail.target ?? context.targets[0] ?? "default";
  if (!context.targets.includes(target)) {
    throw new StoplogError(`Cannot ban: unknown target ${target} (targets: ${context.targets.join(", ")})`);
  }
  const duration = durationOf(request, jail);
  const terms = { target, duration, jail: request.jail ?? "", force: request.force === true };
  return { results: request.addresses.map((text) => banOne(text, terms, context.gate, now)) };
}

/** Where orders go. */
export interface OrdersTaker {
  readonly gate: OrderGate;
  /** The jails that the operator's orders may name. */
  readonly named?: OrderedJails;
}

/** Takes an origin's orders, one JSON object a line, with a turn of the event loop between some hundred, or some dozen long ones. */
export async function takeOrders(
  lines: Iterable<string>,
  origin: string,
  to: OrdersTaker,
  clock: Clock,
): Promise<OrdersAnswer> {
  const { gate, named } = to;
  if (gate.statsOf(origin) === null) {
    const known = gate.rules().map(({ name }) => name);
    throw new StoplogError(
      `Cannot take orders: unknown origin ${origin} (origins: ${known.length === 0 ? "none" : known.join(", ")})`,
    );
  }
  const counts = { done: 0, nothing: 0, held: 0, refused: 0, unreadable: 0 };
  const sentences: string[] = [];
  let i = -1;
  let sinceTurn = { orders: 0, characters: 0 };
  for (const line of lines) {
    i++;
    sinceTurn.orders++;
    sinceTurn.characters += line.length;
    if (sinceTurn.orders >= AT_ONCE || sinceTurn.characters >= CHARACTERS_AT_ONCE) {
      sinceTurn = { orders: 0, characters: 0 };
      await nextTurn();
    }
    const order = readOrder(line);
    const now = clock.now();
    const isOperator = origin === OPERATOR.name;
    const outcome =
      typeof order === "string"
        ? order
        : isOperator && named !== undefined && order.jail !== undefined
          ? takeForJail(order, gate, named, now)
          : gate.take(order, origin, now);
    if (typeof outcome === "string") gate.unreadable(origin, outcome);
    const kind = typeof outcome === "string" ? "unreadable" : outcome.kind;
    counts[kind]++;
    if (sentences.length >= MOST_SENTENCES) continue;
    if (typeof outcome === "string") sentences.push(`Line ${i + 1}: ${outcome}`);
    else if (outcome.kind === "refused" || outcome.kind === "held")
      sentences.push(`Line ${i + 1}: ${outcome.kind}: ${outcome.fact}`);
    else if (outcome.kind === "done" && outcome.what === "allowed" && outcome.warning !== null)
      sentences.push(`Line ${i + 1}: warning: ${outcome.warning}`);
  }
  return { ...counts, sentences };
}

/** An order of the operator that names a jail. */
function takeForJail(order: Order, gate: OrderGate, named: OrderedJails, now: Instant): OrderOutcome {
  const outcome = gate.take(forJail(order, named), OPERATOR.name, now);
  if (outcome.kind === "done" || outcome.kind === "nothing") rememberBans(order, named, now);
  return outcome;
}

/** Carries out or drops held orders, and puts held lists into force. Rejects with a StoplogError when a list has changed since. */
export async function settleHeld(
  { act, origin }: HeldRequest,
  gate: OrderGate,
  lists: Lists | null,
  clock: Clock,
): Promise<HeldAnswer> {
  if (act === "drop") return { done: gate.held.take(origin).length, refused: 0 };
  let done = 0;
  let refused = 0;
  for (const { name, held } of lists?.status() ?? []) {
    if (held === null || (origin !== undefined && origin !== name)) continue;
    if ((await lists?.release(name)) === true) done++;
  }
  for (let left = [...gate.held.list(origin)].length; left > 0; left -= AT_ONCE) {
    const some = gate.release(clock.now(), origin, AT_ONCE);
    done += some.done;
    refused += some.refused;
    await nextTurn();
  }
  return { done, refused };
}

/** Orders in one turn of the event loop: some milliseconds. */
const AT_ONCE = 500;
/** JSON.parse takes a millisecond for 4 KiB of nested brackets. */
const CHARACTERS_AT_ONCE = 32 << 10;
const MOST_SENTENCES = 20;

/** Unbans by hand, at every target, and resets the counters. */
export async function orderUnban(
  request: UnbanRequest,
  context: OrderContext,
  now: Instant,
): Promise<UnbanAnswer> {
  const { gate } = context;
  if ("origin" in request) return { lifted: await sumOf(gate.revoke(request.origin, now)), results: [] };
  if ("all" in request) return { lifted: await sumOf(gate.clear(request.jail)), results: [] };
  let unbanned = 0;
  const { jail } = request;
  const results = request.addresses.map((text) => {
    const { count, result } = unbanOne(text, jail, context, now);
    unbanned += count;
    return result;
  });
  return { lifted: unbanned, results };
}

async function sumOf(counts: Iterable<number>): Promise<number> {
  let sum = 0;
  for (const count of counts) {
    sum += count;
    await nextTurn();
  }
  return sum;
}

function findJail(name: string | undefined, { jails }: OrderContext): RunningJail | undefined {
  if (name === undefined) return undefined;
  const jail = jails.find((running) => running.jail.options.name === name);
  if (jail !== undefined) return jail;
  const known = jails.map((running) => running.jail.options.name).join(", ");
  throw new StoplogError(`Cannot ban: unknown jail ${name} (jails: ${known === "" ? "none" : known})`);
}

function durationOf(request: BanRequest, jail: RunningJail | undefined): Duration {
  if (request.duration === undefined) return jail?.jail.bantime ?? HOUR;
  const duration = parseDuration(request.duration);
  if (duration !== null && duration > 0) return duration;
  throw new StoplogError(
    `Cannot ban: ${request.duration} is not a duration (write 90, 10m, 1d12h, or -1 for permanent)`,
  );
}

interface Terms {
  readonly duration: Duration;
  readonly target: string;
  readonly jail: string;
  readonly force: boolean;
}

function banOne(text: string, terms: Terms, gate: OrderGate, now: Instant): Result {
  const prefix = parsePrefix(text);
  if (prefix === null) return refused(text, `Cannot ban ${text}: not an IP address or network`);
  const order: Order = { kind: "ban", prefix, ...terms, reason: "by hand", id: null };
  const outcome = gate.take(order, OPERATOR.name, now);
  const address = formatPrefix(prefix);
  const { target, duration } = terms;
  if (outcome.kind === "refused" || outcome.kind === "held")
    return refused(address, `Cannot ban ${address}: ${outcome.fact}`);
  if (outcome.kind === "nothing") {
    const detail = `${address} is already banned at ${target} for longer`;
    return { address, outcome: "unchanged", detail };
  }
  const time = duration === FOREVER ? "permanently" : `for ${formatDuration(duration)}`;
  return outcome.what === "prolonged"
    ? { address, outcome: "prolonged", detail: `${address} was banned at ${target}; now ${time}` }
    : { address, outcome: "banned", detail: `Banned ${address} at ${target} ${time}` };
}

/** Why the gate refuses a network that is exempt from bans. */
export const EXEMPT = {
  "own address": "it is, or holds, an address of this machine or its gateway",
  "allow-listed": "it is, or holds, an address in ignoreip",
  trusted: "it is, or holds, a trusted address",
  "impossible address": "no packet of a client comes from it",
  "live session": "a user is logged in from it, or from an address in it",
} as const;

function refused(address: string, detail: string): Result {
  return { address, outcome: "refused", detail };
}

function unbanOne(
  text: string,
  jail: string | undefined,
  { gate, book }: OrderContext,
  now: Instant,
): { count: number; result: UnbanAnswer["results"][number] } {
  const prefix = parsePrefix(text);
  if (prefix === null) {
    const detail = `Cannot unban ${text}: not an IP address or network`;
    return { count: 0, result: { address: text, outcome: "refused", detail } };
  }
  const address = formatPrefix(prefix);
  const of = jail === undefined ? {} : { jail };
  const terms = { duration: null, target: null, ...of, reason: "by hand", id: null };
  const order: Order = { kind: "unban", prefix, ...terms };
  const outcome = gate.take(order, OPERATOR.name, now);
  if (outcome.kind === "done" && outcome.what === "unbanned") {
    const { bans } = outcome;
    const unbanned = [...new Set(bans.map((ban) => formatPrefix(ban.prefix)))].join(", ");
    const around = bannedAround(prefix, book);
    const detail =
      around === null
        ? `Unbanned ${unbanned}`
        : `Unbanned ${unbanned}, but its network ${formatPrefix(around.prefix)} is still banned`;
    return { count: bans.length, result: { address, outcome: "lifted", detail } };
  }
  const around = bannedAround(prefix, book);
  const detail =
    around === null
      ? `${address} is not banned`
      : `${address} is not banned itself; its network ${formatPrefix(around.prefix)} is`;
  return { count: 0, result: { address, outcome: "not banned", detail } };
}

/** The narrowest banned network around a prefix; null if there is none. */
function bannedAround({ address, length }: Prefix, book: Book): Ban | null {
  for (let wider = length - 1; wider >= 0; wider--) {
    const [ban] = book.of(prefixOf(address, wider));
    if (ban !== undefined) return ban;
  }
  return null;
}

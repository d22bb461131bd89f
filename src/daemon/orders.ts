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
import type { Clock } from "../core/clock.ts";
import { formatDuration, parseDuration } from "../core/duration.ts";
import { StoplogError } from "../core/errors.ts";
import { formatPrefix, parsePrefix, type Prefix } from "../core/prefix.ts";
import { type Duration, FOREVER, HOUR, type Instant } from "../core/time.ts";
import type { OrderGate } from "../orders/gate.ts";
import type { OriginRules } from "../orders/origin-rules.ts";
import { readOrder } from "../orders/read-order.ts";
import type { Lists } from "../lists/lists.ts";
import type { RunningJail } from "./pipeline.ts";

/** What an operator's order can refer to. */
export interface OrderContext {
  readonly book: Book;
  readonly jails: readonly RunningJail[];
  readonly targets: readonly string[];
  /** Whether a network holds somebody who is never banned, and why; null when it does not. */
  readonly holds: (prefix: Prefix) => "own address" | "allow-listed" | null;
  /** Takes back whatever an origin has ordered; answers how many bans went, part by part. */
  readonly revoke: (origin: string) => Iterable<number>;
}

type Result = BanAnswer["results"][number];

/** Bans by hand. A bad duration, jail or target refuses the whole order; a bad address only itself. */
export function orderBan(request: BanRequest, context: OrderContext, now: Instant): BanAnswer {
  const jail = findJail(request.jail, context);
  const target = request.target ?? jail?.jail.target ?? context.targets[0] ?? "default";
  if (!context.targets.includes(target)) {
    throw new StoplogError(
      `Cannot ban: there is no target ${target} (there are ${context.targets.join(", ")})`,
    );
  }
  const duration = durationOf(request, jail);
  return {
    results: request.addresses.map((text) =>
      banOne(text, { duration, target, jail: request.jail ?? "" }, context, now),
    ),
  };
}

/** Takes orders, one a line of JSON, in the name of an origin, with a turn of the event loop between some hundred. */
export async function takeOrders(
  lines: readonly string[],
  origin: string,
  gate: OrderGate,
  clock: Clock,
): Promise<OrdersAnswer> {
  if (gate.statsOf(origin) === null) {
    const known = gate.rules().map(({ name }) => name);
    throw new StoplogError(
      `Cannot take orders: there is no origin ${origin} (there ${known.length === 0 ? "is none" : `are ${known.join(", ")}`})`,
    );
  }
  const counts = { done: 0, nothing: 0, held: 0, refused: 0, unreadable: 0 };
  const sentences: string[] = [];
  for (const [i, line] of lines.entries()) {
    if (i % AT_ONCE === AT_ONCE - 1) await nextTurn();
    const order = readOrder(line);
    const outcome = typeof order === "string" ? order : gate.take(order, origin, clock.now());
    if (typeof outcome === "string") gate.unreadable(origin, outcome);
    const kind = typeof outcome === "string" ? "unreadable" : outcome.kind;
    counts[kind]++;
    if (sentences.length >= MOST_SENTENCES) continue;
    if (typeof outcome === "string") sentences.push(`Line ${i + 1}: ${outcome}`);
    else if (outcome.kind === "refused" || outcome.kind === "held")
      sentences.push(`Line ${i + 1}: ${outcome.kind}: ${outcome.fact}`);
  }
  return { ...counts, sentences };
}

/** Carries out or forgets orders that are held, and takes held lists into use. Rejects with a StoplogError when a list has changed since. */
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

/** Some milliseconds' worth. */
const AT_ONCE = 500;
const MOST_SENTENCES = 20;

/** Whoever may write to the control socket may do anything. */
export const OPERATOR: OriginRules = {
  name: "operator",
  may: ["ban", "unban", "allow"],
  bantime: HOUR,
  longest: FOREVER,
  target: "default",
  widest: { v4: 0, v6: 0 },
  rate: Number.POSITIVE_INFINITY,
  mass: Number.POSITIVE_INFINITY,
  bans: Number.POSITIVE_INFINITY,
  liftsOthers: true,
};

/** Frees by hand, at all targets, and forgets what was counted. */
export async function orderUnban(request: UnbanRequest, context: OrderContext): Promise<UnbanAnswer> {
  if ("origin" in request) return { lifted: await sumOf(context.revoke(request.origin)), results: [] };
  if ("all" in request) return { lifted: await sumOf(liftAll(context)), results: [] };
  let lifted = 0;
  const results = request.addresses.map((text) => {
    const { count, result } = unbanOne(text, context);
    lifted += count;
    return result;
  });
  return { lifted, results };
}

/** Lifts every ban, and forgets what was counted of the banned; answers after each thousand how many there were. */
function* liftAll({ book, jails }: OrderContext): Generator<number> {
  let lifted = 0;
  for (const { prefix, target } of book.bans()) {
    book.lift(prefix, "operator", target);
    for (const { jail } of jails) jail.forget(prefix.address);
    if (++lifted % 1000 !== 0) continue;
    yield lifted;
    lifted = 0;
  }
  yield lifted;
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
  throw new StoplogError(`Cannot ban: there is no jail ${name} (there are ${known === "" ? "none" : known})`);
}

function durationOf(request: BanRequest, jail: RunningJail | undefined): Duration {
  if (request.duration === undefined) return jail?.jail.bantime ?? HOUR;
  const duration = parseDuration(request.duration);
  if (duration !== null && duration > 0) return duration;
  throw new StoplogError(
    `Cannot ban: ${request.duration} is no duration (write 90, 10m, 1d12h, or -1 for ever)`,
  );
}

function banOne(
  text: string,
  { duration, target, jail }: { readonly duration: Duration; readonly target: string; readonly jail: string },
  { book, holds }: OrderContext,
  now: Instant,
): Result {
  const prefix = parsePrefix(text);
  if (prefix === null) return refused(text, `Cannot ban ${text}: it is no address and no network`);
  const address = formatPrefix(prefix);
  const held = holds(prefix);
  if (held !== null) return refused(address, `Cannot ban ${address}: ${HELD[held]}`);
  const until = duration === FOREVER ? FOREVER : now + duration;
  const outcome = book.ban({
    prefix,
    target,
    jail,
    reason: "by hand",
    since: now,
    until,
    origin: "operator",
  });
  const time = duration === FOREVER ? "for ever" : `for ${formatDuration(duration)}`;
  switch (outcome.kind) {
    case "banned":
      return { address, outcome: "banned", detail: `Banned ${address} at ${target} ${time}` };
    case "prolonged":
      return { address, outcome: "prolonged", detail: `${address} was banned at ${target}; now ${time}` };
    case "unchanged":
      return {
        address,
        outcome: "unchanged",
        detail: `${address} is banned at ${target} for longer than that`,
      };
    case "full":
      return refused(address, `Cannot ban ${address}: the book is full of bans without end`);
  }
}

export const HELD = {
  "own address": "it is, or holds, an address of this machine or its gateway",
  "allow-listed": "it is, or holds, an address in ignoreip",
} as const;

function refused(address: string, detail: string): Result {
  return { address, outcome: "refused", detail };
}

function unbanOne(
  text: string,
  { book, jails }: OrderContext,
): { count: number; result: UnbanAnswer["results"][number] } {
  const prefix = parsePrefix(text);
  if (prefix === null) {
    const detail = `Cannot unban ${text}: it is no address and no network`;
    return { count: 0, result: { address: text, outcome: "refused", detail } };
  }
  const address = formatPrefix(prefix);
  // The jail's own network for the address: with ipv6_prefix 64 that is what was banned.
  const networks = [prefix, ...jails.map(({ jail }) => jail.prefixOf(prefix.address))];
  const lifted = networks.flatMap((network) => book.lift(network, "operator"));
  for (const { jail } of jails) jail.forget(prefix.address);
  if (lifted.length > 0) {
    const detail = `Freed ${[...new Set(lifted.map((ban) => formatPrefix(ban.prefix)))].join(", ")}`;
    return { count: lifted.length, result: { address, outcome: "lifted", detail } };
  }
  const around = book.standing(prefix.address, Number.NEGATIVE_INFINITY);
  const detail =
    around === null
      ? `${address} is not banned`
      : `${address} is not banned by itself, but ${formatPrefix(around.prefix)} is`;
  return { count: 0, result: { address, outcome: "not banned", detail } };
}

import type { Book } from "../book/book.ts";
import { type Address, isV4 } from "../core/address.ts";
import type { Ban } from "../core/ban.ts";
import { LIMITS } from "../core/limits.ts";
import { type ImpossibleKind, impossibleNetwork } from "../core/impossible-address.ts";
import type { Order } from "../core/order.ts";
import { formatPrefix, type Prefix, samePrefix } from "../core/prefix.ts";
import { FOREVER, type Instant } from "../core/time.ts";
import { HeldOrders } from "./held.ts";
import type { OriginRules } from "./origin-rules.ts";
import { Quota } from "./quota.ts";
import { SeenIds } from "./seen-ids.ts";
import { Underlying } from "./underlying.ts";
import { counter, type CountsOf, declareMetrics, gauge, type NumberMetric } from "../core/metrics.ts";

/** What came of an order. */
export type OrderOutcome =
  | { readonly kind: "done"; readonly what: "banned" | "prolonged" }
  /** `warning`: a sentence when hardly any attacker is banned now; null else. */
  | { readonly kind: "done"; readonly what: "allowed"; readonly warning: string | null }
  | { readonly kind: "done"; readonly what: "unbanned"; readonly bans: readonly Ban[] }
  | { readonly kind: "done"; readonly what: "unallowed" }
  /** Nothing to do: already banned for longer, not banned, not allowed, or a repeated order. */
  | { readonly kind: "nothing"; readonly fact: string }
  | { readonly kind: "held"; readonly fact: string }
  | { readonly kind: "refused"; readonly fact: string };

const orders = (outcome: string): NumberMetric =>
  counter("stoplog_orders_total", "Orders of an origin, by outcome.", { outcome });

/** How many orders of an origin came to what. */
export const ORIGIN_METRICS = declareMetrics(
  { at: "origins.*", label: "origin" },
  {
    done: orders("done"),
    nothing: orders("nothing"),
    held: orders("held"),
    refused: orders("refused"),
    unreadable: orders("unreadable"),
  },
);

export type OriginStats = CountsOf<typeof ORIGIN_METRICS> & {
  /** The last refusal, as a sentence; null before the first. */
  lastRefusal: string | null;
};

export interface GateDeps {
  readonly book: Book;
  /** Why an origin must not ban a network at a target, or null. */
  readonly holds: (
    prefix: Prefix,
    by: OriginRules,
    ban: { readonly target: string; readonly force: boolean },
  ) => string | null;
  /** Addresses in the network must not be banned before `until`. Returns a warning when hardly any attacker is banned then. */
  readonly allow: (prefix: Prefix, until: Instant, now: Instant, origin: string) => string | null;
  /** Takes an order to allow back. False when exactly this network is not allowed. */
  readonly unallow: (prefix: Prefix, now: Instant) => boolean;
  /** The networks that jails ban in place of an address: with `ipv6_prefix: 64`, its /64. */
  readonly networksOf: (a: Address) => readonly Prefix[];
  /** Resets what jails have counted of an address. */
  readonly forget: (a: Address) => void;
  /** Called when such a reset is all that an unban did: no change of the book tells of it. */
  readonly wasReset: (prefix: Prefix, now: Instant) => void;
}

/**
 * The only way to the book for orders, from other machines, programs and the operator alike, as far as each origin is trusted:
 *
 *      order ─► too many a second? ─► permitted? ─► too wide, a sudden mass? ─► allow-listed? ─► book
 *                  └─► refused ◄─────────┘            └─► held ─► release ────────┤
 *                         ▲───────────────────────────────────────────────────────┘
 */
export class OrderGate {
  readonly held = new HeldOrders(LIMITS.heldOrders.value);
  readonly #deps: GateDeps;
  readonly #ids = new SeenIds(LIMITS.orderIds.value);
  readonly #underlying = new Underlying(LIMITS.underlyingBans.value);
  readonly #origins = new Map<string, Origin>();
  #targets: ReadonlySet<string> = new Set();

  constructor(deps: GateDeps) {
    this.#deps = deps;
  }

  /** Order ids that were evicted. */
  get forgottenIds(): number {
    return this.#ids.forgotten;
  }

  /** Underlying bans that were evicted. */
  get forgottenBans(): number {
    return this.#underlying.forgotten;
  }

  /** Sets the rules; counts of origins that remain are kept. */
  configure(origins: readonly OriginRules[], targets: Iterable<string>): void {
    this.#targets = new Set(targets);
    const before = new Map(this.#origins);
    this.#origins.clear();
    for (const rules of origins) {
      const { stats = newStats(), quota = new Quota() } = before.get(rules.name) ?? {};
      this.#origins.set(rules.name, { rules, stats, quota });
    }
  }

  statsOf(origin: string): OriginStats | null {
    return this.#origins.get(origin)?.stats ?? null;
  }

  rules(): readonly OriginRules[] {
    return [...this.#origins.values()].map(({ rules }) => rules);
  }

  /** Counts a message that was not an order; `fact` as returned by `readOrder`. */
  unreadable(origin: string, fact: string): void {
    const stats = this.statsOf(origin);
    if (stats === null) return;
    stats.unreadable++;
    stats.lastRefusal = `Cannot read an order of ${origin}: ${fact}`;
  }

  /** Decides an order and carries it out. */
  take(order: Order, name: string, now: Instant): OrderOutcome {
    const origin = this.#origins.get(name);
    if (origin === undefined) return { kind: "refused", fact: `there is no origin ${name}` };
    const outcome = this.#decide(order, origin, now);
    this.#note(origin, order, outcome);
    return outcome;
  }

  /** Carries out up to `limit` held orders, of one origin or of all. The rules may have changed since, and still apply. */
  release(now: Instant, name?: string, limit?: number): { readonly done: number; readonly refused: number } {
    let done = 0;
    let refused = 0;
    for (const { order, origin: from } of this.held.take(name, limit)) {
      const origin = this.#origins.get(from);
      const outcome = origin === undefined ? null : this.#release(order, origin.rules, now);
      if (outcome === null || outcome.kind === "refused") refused++;
      else done++;
      if (origin !== undefined && outcome !== null) this.#note(origin, order, outcome);
    }
    return { done, refused };
  }

  #release(order: Order, rules: OriginRules, now: Instant): OrderOutcome {
    const forbidden = this.#forbidden(order, rules);
    return forbidden === null ? this.#carryOut(order, rules, now) : refused(forbidden);
  }

  /**
   * Removes every ban that an origin ordered, and restores the bans that they had prolonged. Yields after each thousand bans of the book
   * how many of them were removed, so that the caller can give up its turn.
   */
  *revoke(name: string, now: Instant): Generator<number> {
    this.held.take(name);
    let looked = 0;
    let unbanned = 0;
    for (const ban of this.#deps.book.bans()) {
      if (ban.origin === name) {
        this.#restore(this.#remove(ban, "origin"), now);
        unbanned++;
      }
      if (++looked % AT_ONCE !== 0) continue;
      yield unbanned;
      unbanned = 0;
    }
    yield unbanned;
  }

  /** Removes every ban, or those of one jail, in the operator's name. Yields as `revoke` does. */
  *clear(jail: string | null = null): Generator<number> {
    const { book, forget } = this.#deps;
    let looked = 0;
    let unbanned = 0;
    for (const ban of book.bans()) {
      if (jail === null || ban.jail === jail) {
        this.#remove(ban, "operator");
        forget(ban.prefix.address);
        unbanned++;
      }
      if (++looked % AT_ONCE !== 0) continue;
      yield unbanned;
      unbanned = 0;
    }
    yield unbanned;
  }

  sweep(now: Instant): void {
    this.held.sweep(now);
  }

  #decide(order: Order, { rules, quota }: Origin, now: Instant): OrderOutcome {
    const { inSecond, inMinute } = quota.count(now);
    if (inSecond > rules.rate) return refused(`more than ${rules.rate} orders in a second`);
    const forbidden = this.#forbidden(order, rules);
    if (forbidden !== null) return refused(forbidden);
    if (order.id !== null && this.#ids.seen(rules.name, order.id))
      return { kind: "nothing", fact: "the same order again" };
    const isTakingBack = order.kind === "unban" || order.kind === "unallow";
    const doubt = isTakingBack ? null : doubtAbout(order, rules, inMinute);
    if (doubt === null) {
      const outcome = this.#carryOut(order, rules, now);
      if (outcome.kind === "refused" && order.id !== null) this.#ids.forget(rules.name, order.id);
      return outcome;
    }
    this.held.add({ order, origin: rules.name, fact: doubt, since: now });
    return { kind: "held", fact: doubt };
  }

  /** Why the origin's rules forbid an order; null when they permit it. */
  #forbidden(order: Order, rules: OriginRules): string | null {
    const kind = order.kind === "ban" ? impossibleNetwork(order.prefix) : null;
    if (kind !== null) return `no packet of a client comes from ${article(kind)} ${kind} address`;
    if (!rules.may.includes(order.kind)) return `${rules.name} may not ${order.kind}`;
    const target = order.target ?? (order.kind === "ban" ? rules.target : null);
    return target === null || this.#targets.has(target) ? null : `there is no target ${target}`;
  }

  #carryOut(order: Order, rules: OriginRules, now: Instant): OrderOutcome {
    switch (order.kind) {
      case "ban":
        return this.#ban(order, rules, now);
      case "unban":
        return this.#unban(order, rules, now);
      case "allow": {
        const warning = this.#deps.allow(order.prefix, endOf(order, rules, now), now, rules.name);
        if (rules.may.includes("unban")) this.#unban(order, rules, now);
        return { kind: "done", what: "allowed", warning };
      }
      case "unallow":
        return this.#deps.unallow(order.prefix, now)
          ? { kind: "done", what: "unallowed" }
          : { kind: "nothing", fact: "not allowed" };
    }
  }

  #ban(order: Order, rules: OriginRules, now: Instant): OrderOutcome {
    const { book, holds } = this.#deps;
    if (order.until !== undefined && order.until <= now) return { kind: "nothing", fact: "over already" };
    const target = order.target ?? rules.target;
    const exempt = holds(order.prefix, rules, { target, force: order.force === true });
    if (exempt !== null) return refused(exempt);
    const ban: Ban = {
      prefix: order.prefix,
      target,
      jail: rules.isOperator === true ? (order.jail ?? "") : "",
      reason: order.reason === "" ? `ordered by ${rules.name}` : order.reason,
      since: now,
      until: endOf(order, rules, now),
      origin: rules.name,
    };
    const standing = book.at(ban.prefix, ban.target, now);
    const isOwn = standing?.origin === rules.name;
    if (!isOwn && book.bansFrom(rules.name) >= rules.bans)
      return refused(`${rules.name} already has ${rules.bans} bans`);
    const outcome = book.ban(ban);
    switch (outcome.kind) {
      case "banned":
        return { kind: "done", what: "banned" };
      case "prolonged":
        if (standing !== null && !isOwn) this.#underlying.remember(standing);
        return { kind: "done", what: "prolonged" };
      case "unchanged":
        return { kind: "nothing", fact: "banned for longer already" };
      case "full":
        return refused("the book is full of permanent bans");
    }
  }

  #unban(order: Order, rules: OriginRules, now: Instant): OrderOutcome {
    const { book, forget, networksOf } = this.#deps;
    const { prefix, target } = order;
    const networks = rules.isOperator ? distinct([prefix, ...networksOf(prefix.address)]) : [prefix];
    if (rules.isOperator) forget(prefix.address);
    const standing = networks.flatMap((network) => book.of(network));
    const bans = standing.filter(
      (ban) =>
        (target === null || ban.target === target) && (order.jail === undefined || ban.jail === order.jail),
    );
    const permitted = rules.unbansOthers ? bans : bans.filter((ban) => ban.origin === rules.name);
    // An origin that may remove the bans of others wants the address unbanned, not banned as before.
    for (const ban of permitted) {
      const before = this.#remove(ban, rules.isOperator ? "operator" : "origin");
      if (!rules.unbansOthers) this.#restore(before, now);
    }
    if (permitted.length > 0) return { kind: "done", what: "unbanned", bans: permitted };
    if (bans.length > 0) return refused(`${rules.name} may not remove bans of others`);
    if (rules.isOperator) this.#deps.wasReset(prefix, now);
    return { kind: "nothing", fact: "not banned" };
  }

  /** Removes a ban; returns the ban of another origin that it had prolonged, or null. */
  #remove(ban: Ban, by: "operator" | "origin"): Ban | null {
    this.#deps.book.unban(ban.prefix, by, ban.target);
    return this.#underlying.take(ban);
  }

  #restore(ban: Ban | null, now: Instant): void {
    if (ban !== null && ban.until > now) this.#deps.book.ban(ban);
  }

  #note({ rules, stats }: Origin, order: Order, outcome: OrderOutcome): void {
    stats[outcome.kind]++;
    if (outcome.kind === "refused")
      stats.lastRefusal = `Cannot ${order.kind} ${formatPrefix(order.prefix)} for ${rules.name}: ${outcome.fact}`;
  }
}

const AT_ONCE = 1000;

function article(kind: ImpossibleKind): "a" | "an" {
  return kind === "unspecified" ? "an" : "a";
}

interface Origin {
  readonly rules: OriginRules;
  readonly stats: OriginStats;
  readonly quota: Quota;
}

function newStats(): OriginStats {
  return { ...ORIGIN_METRICS.zero(), lastRefusal: null };
}

function distinct(prefixes: readonly Prefix[]): readonly Prefix[] {
  return prefixes.filter((one, at) => prefixes.findIndex((other) => samePrefix(one, other)) === at);
}

function refused(fact: string): OrderOutcome {
  return { kind: "refused", fact };
}

/** Why a person should review an order first; null to carry it out at once. */
function doubtAbout({ prefix }: Order, { widest, mass }: OriginRules, inMinute: number): string | null {
  const bits = isV4(prefix.address) ? widest.v4 : widest.v6;
  if (prefix.length < bits) return `wider than /${bits}`;
  return inMinute > mass ? `more than ${mass} orders in a minute` : null;
}

/** The end that the order asks for, within the rules. */
function endOf({ duration, until }: Order, { bantime, longest }: OriginRules, now: Instant): Instant {
  if (until !== undefined) return Math.min(until, now + longest);
  const length = Math.min(duration ?? bantime, longest);
  return length === FOREVER ? FOREVER : now + length;
}

declareMetrics(
  { at: "held" },
  {
    orders: gauge("stoplog_held_orders", "Orders that wait for a person (`stoplog held`)."),
    dropped: counter("stoplog_held_orders_dropped_total", "Held orders dropped to make room."),
    forgottenIds: counter("stoplog_order_ids_forgotten_total", "Order ids forgotten early to make room."),
    forgottenBans: counter(
      "stoplog_underlying_bans_forgotten_total",
      "Bans below an order that were forgotten early to make room.",
    ),
  },
);

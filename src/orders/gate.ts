import type { Book } from "../book/book.ts";
import { isV4 } from "../core/address.ts";
import type { Ban } from "../core/ban.ts";
import { LIMITS } from "../core/limits.ts";
import type { Order } from "../core/order.ts";
import { formatPrefix, type Prefix } from "../core/prefix.ts";
import { FOREVER, type Instant } from "../core/time.ts";
import { HeldOrders } from "./held.ts";
import type { OriginRules } from "./origin-rules.ts";
import { Quota } from "./quota.ts";
import { SeenIds } from "./seen-ids.ts";
import { Underlying } from "./underlying.ts";
import { counter, type CountsOf, declareMetrics, gauge, type NumberMetric } from "../core/metrics.ts";

/** What became of an order. */
export type OrderOutcome =
  | { readonly kind: "done"; readonly what: "banned" | "prolonged" | "lifted" | "allowed" }
  /** Nothing had to be done: banned for longer already, not banned, or the same order again. */
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
  /** Why nobody in a network may be banned, or null. */
  readonly holds: (prefix: Prefix) => string | null;
  /** From now on nobody bans whoever lives there, until then. */
  readonly allow: (prefix: Prefix, until: Instant) => void;
}

/**
 * Lets orders of others into the book, as far as each of them is trusted:
 *
 *      order ─► may he? ─► too many? ─► allow-listed? ─► too wide, a sudden mass? ─► book
 *                 └─► refused ◄─┘            │                    └─► held ─► released by a person
 *                        ▲──────────────────┘
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

  /** Order ids that were forgotten early. */
  get forgottenIds(): number {
    return this.#ids.forgotten;
  }

  /** Bans below an order that were forgotten early. */
  get forgottenBans(): number {
    return this.#underlying.forgotten;
  }

  /** Takes other rules; what was counted of an origin stays. */
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

  /** Notes what was no order; `fact` as `readOrder` says it. */
  unreadable(origin: string, fact: string): void {
    const stats = this.statsOf(origin);
    if (stats === null) return;
    stats.unreadable++;
    stats.lastRefusal = `Cannot read an order of ${origin}: ${fact}`;
  }

  /** Decides about an order and carries it out. */
  take(order: Order, name: string, now: Instant): OrderOutcome {
    const origin = this.#origins.get(name);
    if (origin === undefined) return { kind: "refused", fact: `there is no origin ${name}` };
    const outcome = this.#decide(order, origin, now);
    this.#note(origin, order, outcome);
    return outcome;
  }

  /** Carries out up to `limit` of what was held, of one origin or of all; answers how many. What its rules refuse stays refused. */
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

  /** The configuration may have become another while the order waited. */
  #release(order: Order, rules: OriginRules, now: Instant): OrderOutcome {
    const forbidden = this.#forbidden(order, rules);
    return forbidden === null ? this.#carryOut(order, rules, now) : refused(forbidden);
  }

  /**
   * Takes back everything an origin has ordered; what others had banned before it stands again. Answers, after each thousand of the
   * book's bans that were looked at, how many were lifted of them: whoever asks may let others have their turn then.
   */
  *revoke(name: string, now: Instant): Generator<number> {
    this.held.take(name);
    let looked = 0;
    let lifted = 0;
    for (const ban of this.#deps.book.bans()) {
      if (ban.origin === name) {
        this.#lift(ban, now, "his");
        lifted++;
      }
      if (++looked % AT_ONCE !== 0) continue;
      yield lifted;
      lifted = 0;
    }
    yield lifted;
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
    const doubt = order.kind === "unban" ? null : doubtAbout(order, rules, inMinute);
    if (doubt === null) {
      const outcome = this.#carryOut(order, rules, now);
      if (outcome.kind === "refused" && order.id !== null) this.#ids.forget(rules.name, order.id);
      return outcome;
    }
    this.held.add({ order, origin: rules.name, fact: doubt, since: now });
    return { kind: "held", fact: doubt };
  }

  /** Why the origin's rules do not allow an order; null when they do. */
  #forbidden(order: Order, rules: OriginRules): string | null {
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
      case "allow":
        this.#deps.allow(order.prefix, endOf(order, rules, now));
        if (rules.may.includes("unban")) this.#unban(order, rules, now);
        return { kind: "done", what: "allowed" };
    }
  }

  #ban(order: Order, rules: OriginRules, now: Instant): OrderOutcome {
    const { book, holds } = this.#deps;
    const held = holds(order.prefix);
    if (held !== null) return refused(held);
    const ban: Ban = {
      prefix: order.prefix,
      target: order.target ?? rules.target,
      jail: "",
      reason: order.reason === "" ? `ordered by ${rules.name}` : order.reason,
      since: now,
      until: endOf(order, rules, now),
      origin: rules.name,
    };
    const standing = book.at(ban.prefix, ban.target, now);
    const isHis = standing?.origin === rules.name;
    if (!isHis && book.bansFrom(rules.name) >= rules.bans)
      return refused(`${rules.name} has ${rules.bans} bans already`);
    const outcome = book.ban(ban);
    switch (outcome.kind) {
      case "banned":
        return { kind: "done", what: "banned" };
      case "prolonged":
        if (standing !== null && !isHis) this.#underlying.remember(standing);
        return { kind: "done", what: "prolonged" };
      case "unchanged":
        return { kind: "nothing", fact: "banned for longer already" };
      case "full":
        return refused("the book is full of bans without end");
    }
  }

  #unban({ prefix, target }: Order, rules: OriginRules, now: Instant): OrderOutcome {
    const bans = this.#deps.book.of(prefix).filter((ban) => target === null || ban.target === target);
    const his = rules.liftsOthers ? bans : bans.filter((ban) => ban.origin === rules.name);
    // Whoever may lift what others have banned wants him free, not banned as before.
    for (const ban of his) this.#lift(ban, now, rules.liftsOthers ? "all" : "his");
    if (his.length > 0) return { kind: "done", what: "lifted" };
    if (bans.length > 0) return refused(`${rules.name} may not lift what others have banned`);
    return { kind: "nothing", fact: "not banned" };
  }

  /** Lifts a ban; where it is an origin's own that others had banned before, theirs stands again. */
  #lift(ban: Ban, now: Instant, what: "his" | "all"): void {
    const { book } = this.#deps;
    book.lift(ban.prefix, "origin", ban.target);
    const before = this.#underlying.take(ban);
    if (what === "his" && before !== null && before.until > now) book.ban(before);
  }

  #note({ rules, stats }: Origin, order: Order, outcome: OrderOutcome): void {
    stats[outcome.kind]++;
    if (outcome.kind === "refused")
      stats.lastRefusal = `Cannot ${order.kind} ${formatPrefix(order.prefix)} for ${rules.name}: ${outcome.fact}`;
  }
}

const AT_ONCE = 1000;

interface Origin {
  readonly rules: OriginRules;
  readonly stats: OriginStats;
  readonly quota: Quota;
}

function newStats(): OriginStats {
  return { ...ORIGIN_METRICS.zero(), lastRefusal: null };
}

function refused(fact: string): OrderOutcome {
  return { kind: "refused", fact };
}

/** Why somebody ought to look at it first; null when nobody need to. */
function doubtAbout({ prefix }: Order, { widest, mass }: OriginRules, inMinute: number): string | null {
  const bits = isV4(prefix.address) ? widest.v4 : widest.v6;
  if (prefix.length < bits) return `wider than /${bits}`;
  return inMinute > mass ? `more than ${mass} orders in a minute` : null;
}

/** What was asked for, as far as the rules go. */
function endOf({ duration }: Order, { bantime, longest }: OriginRules, now: Instant): Instant {
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

import type { AllowedReply, StatusReply } from "../api/wire.ts";
import type { Book } from "../book/book.ts";
import type { Clock } from "../core/clock.ts";
import type { Allowed } from "../core/order-note.ts";
import { formatPrefix } from "../core/prefix.ts";
import { formatInstant, type Instant } from "../core/time.ts";
import { throttles } from "../enforce/throttles.ts";
import { OrderGate } from "../orders/gate.ts";
import { OPERATOR } from "../orders/origin-rules.ts";
import type { Allows } from "../jail/allows.ts";
import type { Exempt } from "./exempt.ts";
import type { Feature, Settings, StatusFragment } from "./feature.ts";
import type { Jails } from "./jails.ts";
import { EXEMPT } from "./orders.ts";
import type { WideAllows } from "./wide-allows.ts";

export interface OriginsDeps {
  readonly book: Book;
  readonly exempt: Exempt;
  readonly jails: Pick<Jails, "all" | "trusted">;
  readonly allows: Allows;
  readonly clock: Clock;
  readonly wideAllows: WideAllows;
}

/** The origins of orders, and the gate that lets their orders into the book as far as each is trusted. */
export class Origins implements Feature {
  readonly name = "origins";
  readonly isEssential = true;
  readonly gate: OrderGate;
  readonly #book: Book;
  readonly #allows: Allows;
  /** Targets that let some packets of a banned address pass. */
  #mild: ReadonlySet<string> = new Set();

  constructor({ book, exempt, jails, clock, allows, wideAllows }: OriginsDeps) {
    this.#book = book;
    this.#allows = allows;
    const { trusted } = jails;
    this.gate = new OrderGate({
      book,
      holds: (prefix, { isOperator = false }, { target, force }) => {
        const reason = exempt.why(prefix);
        if (reason !== null) return EXEMPT[reason];
        if (!isOperator && trusted.meets(prefix, clock.now())) return EXEMPT.trusted;
        if (force || this.#mild.has(target) || !exempt.sessions.meets(prefix, clock.now())) return null;
        return isOperator
          ? `${EXEMPT["live session"]} (--force bans it all the same)`
          : EXEMPT["live session"];
      },
      allow: (prefix, until, now, origin) => {
        allows.allow({ prefix, since: now, until, origin });
        return wideAllows.warningOf(prefix, now);
      },
      unallow: (prefix, now) => allows.unallow(prefix, now),
      wasReset: (prefix, now) => allows.reset(prefix, now),
      networksOf: (address) => jails.all.map(({ jail }) => jail.prefixOf(address)),
      forget: (address) => {
        for (const { jail } of jails.all) jail.forget(address);
      },
    });
  }

  follow({ config }: Settings): void {
    const mild = config.targets.filter(({ enforcers }) => throttles(enforcers));
    this.#mild = new Set(mild.map(({ name }) => name));
    this.gate.configure(
      [...config.origins.filter(({ name }) => name !== OPERATOR.name), OPERATOR],
      config.targets.map(({ name }) => name),
    );
  }

  tick(now: Instant): void {
    this.gate.sweep(now);
    this.#allows.sweep(now);
  }

  status(now: Instant): StatusFragment {
    const { gate } = this;
    const newest = [...this.#allows.active(now)].slice(-LISTED).toReversed();
    return {
      allows: {
        orders: this.#allows.size,
        forgotten: this.#allows.forgotten,
        newest: newest.map(allowedReply),
      },
      origins: gate.rules().map(({ name }) => this.#reply(name)),
      held: {
        orders: gate.held.size,
        dropped: gate.held.dropped,
        forgottenIds: gate.forgottenIds,
        forgottenBans: gate.forgottenBans,
      },
    };
  }

  *warnings(): Generator<string> {
    const { gate } = this;
    for (const { name } of gate.rules()) {
      const refusal = gate.statsOf(name)?.lastRefusal ?? null;
      if (refusal !== null) yield refusal;
    }
    if (gate.held.size > 0) yield `${gate.held.size} orders are held: see stoplog held`;
  }

  #reply(name: string): StatusReply["origins"][number] {
    const none = { done: 0, nothing: 0, held: 0, refused: 0, unreadable: 0, lastRefusal: null };
    return { name, bans: this.#book.bansFrom(name), ...(this.gate.statsOf(name) ?? none) };
  }
}

/** Orders to allow that the status lists. */
const LISTED = 100;

function allowedReply({ prefix, since, until, origin }: Allowed): AllowedReply {
  return {
    address: formatPrefix(prefix),
    since: formatInstant(since) ?? "",
    until: formatInstant(until),
    origin,
  };
}

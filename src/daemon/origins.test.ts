import { describe, expect, it } from "vitest";
import { Book } from "../book/book.ts";
import { parsePrefix, type Prefix } from "../core/prefix.ts";
import { HOUR } from "../core/time.ts";
import { LiveSessions } from "../jail/live-sessions.ts";
import { Trusted } from "../jail/trusted.ts";
import { Allows } from "../jail/allows.ts";
import { OPERATOR } from "../orders/origin-rules.ts";
import { Origins } from "./origins.ts";
import type { Settings } from "./feature.ts";

const p = (text: string): Prefix => parsePrefix(text) as Prefix;

function origins() {
  const sessions = new LiveSessions({ read: () => [p("198.51.100.7").address], warn: () => undefined });
  const trusted = new Trusted(10);
  const feature = new Origins({
    book: new Book({ capacity: 10, changes: 10 }),
    exempt: { why: () => null, sessions } as never,
    jails: { all: [], trusted },
    allows: new Allows(trusted, 10, () => undefined),
    clock: { now: () => 0 } as never,
    wideAllows: {} as never,
  });
  const targets = [
    { name: "default", enforcers: [{ name: "default", enforcer: "nftables", verdict: { kind: "drop" } }] },
    { name: "slow", enforcers: [{ name: "slow", enforcer: "nftables", verdict: { kind: "throttle" } }] },
  ];
  const scorer = { ...OPERATOR, name: "scorer", isOperator: false };
  feature.follow({ config: { origins: [scorer], targets } } as unknown as Settings);
  return (by: string, prefix: string, more: { readonly target?: string; readonly force?: boolean } = {}) => {
    const order = {
      kind: "ban",
      prefix: p(prefix),
      duration: HOUR,
      target: null,
      reason: "",
      id: null,
    } as const;
    const outcome = feature.gate.take({ ...order, ...more }, by, 0);
    return outcome.kind === "refused" ? outcome.fact : outcome.kind;
  };
}

describe("an order to ban an address from which a user is logged in", () => {
  const FACT = "a user is logged in from it, or from an address in it";

  it("is refused to machines and people, whose --force prevails", () => {
    const order = origins();
    expect(order("scorer", "198.51.100.7")).toBe(FACT);
    expect(order("scorer", "198.51.100.0/24")).toBe(FACT);
    expect(order("operator", "198.51.100.7")).toBe(`${FACT} (--force bans it all the same)`);
    expect(order("operator", "198.51.100.7", { force: true })).toBe("done");
    expect(order("scorer", "198.51.100.8")).toBe("done");
  });

  it("is carried out at a target that throttles", () => {
    expect(origins()("scorer", "198.51.100.7", { target: "slow" })).toBe("done");
  });
});

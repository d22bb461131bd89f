import { describe, expect, it } from "vitest";
import type { Decision } from "../core/decision.ts";
import { DAY, HOUR, type Instant, MINUTE, SECOND } from "../core/time.ts";
import { hostPrefix, parsePrefix } from "../core/prefix.ts";
import { IgnoreList } from "./ignore.ts";
import type { Jail, JailShares } from "./jail.ts";
import { a, ATTACKER, jailWith, reasonOf, START } from "./jail.test-support.ts";
import { Offences } from "./offences.ts";
import type { JailOptions, Step } from "./options.ts";
import { SharedCount } from "./shared-count.ts";
import { Trusted } from "./trusted.ts";
import { parseFormula } from "../core/formula/parse-formula.ts";

describe("a jail with steps", () => {
  const step = (maxretry: number, target: string, bantime: number, times = 1): Step => ({
    maxretry,
    times,
    target,
    bantime,
  });
  const STEPS = [step(1, "slow", MINUTE), step(3, "default", HOUR), step(3, "default", DAY, 3)];
  const fail = (jail: Jail, now: Instant, count = 1): Decision =>
    jail.decide({ address: a(ATTACKER), at: now, count }, null, now);

  it("bans mildly first, continues to count, and bans for longer the third time", () => {
    const jail = jailWith({ steps: STEPS });
    const bans = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((i) => {
      const decision = fail(jail, START + i * SECOND);
      if (decision.kind !== "ban") return decision.kind;
      const { target, since, until, reason } = decision.ban;
      return `${target} ${(until - since) / SECOND} ${decision.reason}: ${reason}`;
    });
    expect(bans).toEqual([
      "slow 60 threshold: 1 failure",
      "slow 60 threshold: 1 failure",
      "default 3600 threshold: 3 failures in 10m",
      "slow 60 repeat offender: 1 failure, banned once before",
      "slow 60 repeat offender: 1 failure, banned once before",
      "default 3600 repeat offender: 3 failures in 10m, banned once before",
      "slow 60 repeat offender: 1 failure, banned 2 times before",
      "slow 60 repeat offender: 1 failure, banned 2 times before",
      "default 86400 repeat offender: 3 failures in 10m, banned 2 times before",
    ]);
    expect(jail.lastTargets).toEqual(["default"]);
  });

  it("takes the highest step at once when one line reports that many failures", () => {
    const decision = fail(jailWith({ steps: STEPS }), START, 7);
    expect(decision).toMatchObject({ kind: "ban", ban: { target: "default" } });
  });

  it("forgets earlier bans after a successful login, and after a long time", () => {
    const jail = jailWith({ steps: STEPS, memory: DAY });
    fail(jail, START, 3);
    jail.forgive(a(ATTACKER), START, { trustFor: 0, hasBan: false });
    expect(fail(jail, START, 3)).toMatchObject({ reason: "threshold" });
    expect(fail(jail, START + HOUR + DAY, 3)).toMatchObject({ reason: "repeat offender" });
    expect(fail(jail, START + 10 * DAY, 3)).toMatchObject({ reason: "threshold" });
  });
});

const NAMES = ["ban.Time", "ban.Count", "banFactor"];

describe("bans that grow", () => {
  const growth = { factor: 1, multipliers: null, maxtime: null, rndtime: 0, overalljails: false };
  const times = (options: Partial<JailOptions>, shares: JailShares = {}): number[] => {
    const jail = jailWith({ maxretry: 1, memory: 1000 * DAY, ...options }, {}, shares);
    return [1, 2, 3, 4].map(() => {
      const decision = jail.decide({ address: a(ATTACKER), at: START, count: 1 }, null, START);
      return decision.kind === "ban" ? (decision.ban.until - START) / HOUR : 0;
    });
  };

  it("double each time, or follow the multipliers, times the factor, up to the maximum", () => {
    expect(times({ growth })).toEqual([1, 2, 4, 8]);
    expect(times({ growth: { ...growth, multipliers: [1, 5, 30] } })).toEqual([1, 5, 30, 30]);
    expect(times({ growth: { ...growth, factor: 1.5, maxtime: 7 * HOUR } })).toEqual([1, 3, 6, 7]);
  });

  it("follow a formula, which makes none shorter and needs to be computable", () => {
    const by = (formula: string) => times({ growth: { ...growth, formula: parseFormula(formula, NAMES) } });
    expect(by("ban.Time * (1 + ban.Count)")).toEqual([1, 2, 3, 4]);
    expect(by("ban.Time * ban.Count / 2 if ban.Count > 1 else 60")).toEqual([1, 1, 1, 1.5]);
    expect(by("ban.Time * 4 / (ban.Count - 2)")).toEqual([1, 1, 1, 4]);
    const [, capped] = times({
      growth: { ...growth, formula: parseFormula("10 ** 300 * 1.0"), maxtime: 9 * HOUR },
    });
    expect(capped).toBe(9);
    expect(by("math.exp(2000)")[1]).toBe(1000 * 365.25 * 24);
  });

  it("come sooner: failures of addresses that were banned before count as 2, 3, 5 …", () => {
    const jail = jailWith({ maxretry: 6, memory: 1000 * DAY, growth: { ...growth, sooner: true } });
    const failuresToBan = [1, 2, 3, 4, 5].map(() => {
      let failures = 1;
      while (jail.decide({ address: a(ATTACKER), at: START, count: 1 }, null, START).kind !== "ban")
        failures++;
      return failures;
    });
    expect(failuresToBan).toEqual([6, 3, 2, 2, 1]);
  });

  it("get a random addition, except the first", () => {
    expect(times({ growth: { ...growth, rndtime: HOUR } }, { chance: () => 0.5 })).toEqual([
      1, 2.5, 4.5, 8.5,
    ]);
  });

  it("count bans by other jails when the jails share them", () => {
    const offences = new Offences(10);
    expect(times({ growth }, { offences })).toEqual([1, 2, 4, 8]);
    expect(times({ growth }, { offences })).toEqual([16, 32, 64, 128]);
  });

  it("[limit: offenders] forget the address with the oldest ban when there are too many, and count that", () => {
    const offences = new Offences(2);
    const jail = jailWith({ maxretry: 1, growth }, {}, { offences });
    for (const host of ["203.0.113.1", "203.0.113.2", "203.0.113.3"])
      jail.decide({ address: a(host), at: START, count: 1 }, null, START);
    expect([offences.size, offences.forgotten, offences.before(a("203.0.113.1"), START)]).toEqual([2, 1, 0]);
  });
});

describe("a count that jails share", () => {
  it("adds up the failures of all of them, each within its own findtime, and no ban ends it", () => {
    const shared = new SharedCount({ keep: 5, findtime: HOUR, capacity: 10 });
    const fast = jailWith({ maxretry: 3, findtime: MINUTE }, {}, { counting: shared.within(MINUTE) });
    const slow = jailWith({ maxretry: 5, findtime: HOUR }, {}, { counting: shared.within(HOUR) });
    const fail = (jail: Jail, at: Instant): string =>
      reasonOf(jail.decide({ address: a(ATTACKER), at, count: 1 }, null, at));
    expect([fail(slow, START), fail(fast, START + 2 * MINUTE)]).toEqual(["counted 1 of 5", "counted 1 of 3"]);
    expect(fail(fast, START + 2 * MINUTE)).toBe("counted 2 of 3");
    expect(fail(slow, START + 2 * MINUTE)).toBe("counted 4 of 5");
    expect([fail(fast, START + 2 * MINUTE), fail(fast, START + 2 * MINUTE)]).toEqual([
      "threshold",
      "threshold",
    ]);
    expect(fail(slow, START + 10 * MINUTE)).toBe("threshold");
    fast.forgive(a(ATTACKER), START, { trustFor: 0, hasBan: false });
    expect(fail(slow, START + 10 * MINUTE)).toBe("counted 1 of 5");
  });

  it("continues while one of them has banned the address", () => {
    const shared = new SharedCount({ keep: 4, findtime: HOUR, capacity: 10 });
    const mild = jailWith({ maxretry: 1, findtime: HOUR }, {}, { counting: shared.within(HOUR) });
    const hard = jailWith({ maxretry: 4, findtime: HOUR }, {}, { counting: shared.within(HOUR) });
    const fail = (jail: Jail, at: Instant, standing: { since: Instant } | null): string =>
      reasonOf(jail.decide({ address: a(ATTACKER), at, count: 1 }, standing, at));
    expect(fail(mild, START, null)).toBe("threshold");
    expect([1, 2].map((i) => fail(mild, START + i, { since: START }))).toEqual([
      "already banned",
      "already banned",
    ]);
    expect(fail(hard, START + 3, null)).toBe("threshold");
  });

  it("[limit: sharedCounts] evicts the address with the oldest last failure when it is full", () => {
    const count = new SharedCount({ keep: 5, findtime: HOUR, capacity: 2 }).within(HOUR);
    for (const host of ["203.0.113.1", "203.0.113.2", "203.0.113.3"]) count.add(a(host), START, 1);
    expect([count.size, count.forgotten, count.count(a("203.0.113.1"), START)]).toEqual([2, 1, 0]);
  });
});

describe("trust", () => {
  it("may cover a network, for a time, and then expires", () => {
    const trusted = new Trusted(1);
    const network = parsePrefix("203.0.113.0/24")!;
    trusted.trust(network, START + HOUR);
    trusted.trust(network, START + MINUTE);
    expect([trusted.has(a(ATTACKER), START + HOUR - 1), trusted.has(a(ATTACKER), START + HOUR)]).toEqual([
      true,
      false,
    ]);
    expect([trusted.sweep(START + HOUR, 10), trusted.size]).toEqual([1, 0]);
    trusted.trust(network, START + HOUR);
    trusted.trust(parsePrefix("2001:db8::/32")!, START + HOUR);
    expect([trusted.has(a(ATTACKER), START), trusted.forgotten]).toEqual([false, 1]);
    expect(trusted.revoke(parsePrefix("2001:db8::/32")!)).toBe(true);
    expect([...trusted.capture()]).toEqual([]);
  });

  const trusting = (trusted: Trusted, ipv6Prefix = 128): Jail => {
    const jail = jailWith({ ipv6Prefix });
    jail.reconfigure(jail.options, new IgnoreList([], null, trusted));
    return jail;
  };

  it("keeps every jail from banning an address after a successful login, for a time", () => {
    const trusted = new Trusted(10);
    const [one, other] = [trusting(trusted), trusting(trusted)];
    one.forgive(a(ATTACKER), START, { trustFor: HOUR, hasBan: false });
    const fail = (at: Instant): string =>
      reasonOf(other.decide({ address: a(ATTACKER), at, count: 9 }, null, at));
    expect([fail(START), fail(START + HOUR - 1), fail(START + HOUR)]).toEqual([
      "trusted",
      "trusted",
      "threshold",
    ]);
    expect(other.stats).toMatchObject({ trusted: 18, bans: 1 });
    expect(other.ignoring(a(ATTACKER), START)).toBe("trusted");
  });

  it("covers the network that counts as one with the address", () => {
    const jail = trusting(new Trusted(10), 64);
    jail.forgive(a("2001:db8::1"), START, { trustFor: HOUR, hasBan: false });
    expect([a("2001:db8::2"), a("2001:db8:0:1::1")].map((one) => jail.ignoring(one, START))).toEqual([
      "trusted",
      null,
    ]);
  });

  it("[limit: trusted] evicts the address trusted the longest ago when there are too many", () => {
    const trusted = new Trusted(2);
    for (const host of ["203.0.113.1", "203.0.113.2", "203.0.113.3"])
      trusted.trust(hostPrefix(a(host)), START + HOUR);
    expect([trusted.size, trusted.forgotten, trusted.has(a("203.0.113.1"), START)]).toEqual([2, 1, false]);
  });
});

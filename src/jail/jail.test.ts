import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Ban } from "../core/ban.ts";
import type { Decision } from "../core/decision.ts";
import { formatPrefix, parsePrefix, type Prefix, prefixContains } from "../core/prefix.ts";
import { DAY, FOREVER, HOUR, type Instant, MINUTE, SECOND } from "../core/time.ts";
import { IgnoreList } from "./ignore.ts";
import type { Jail } from "./jail.ts";
import { a, ATTACKER, jailWith, reasonOf, START } from "./jail.test-support.ts";

/** A jail and a book that is a plain list, joined as in the pipeline. */
class JailAndBook {
  readonly jail: Jail;
  readonly bans: Ban[] = [];

  constructor(jail: Jail) {
    this.jail = jail;
  }

  fail(host: string, now: Instant, { at = now as Instant | null, count = 1 } = {}): Decision {
    const address = a(host);
    const standing = this.bans.find((ban) => ban.until > now && prefixContains(ban.prefix, address)) ?? null;
    const decision = this.jail.decide({ address, at, count }, standing, now);
    if (decision.kind === "ban") this.bans.push(decision.ban);
    return decision;
  }
}

describe("Jail.decide()", () => {
  it("counts, and bans at the failure that reaches maxretry within findtime", () => {
    const { jail } = new JailAndBook(jailWith());
    const decide = (now: Instant): Decision =>
      jail.decide({ address: a(ATTACKER), at: now, count: 1 }, null, now);
    expect(decide(START)).toEqual({ kind: "counted", reason: "counted", seen: 1, needed: 3 });
    expect(decide(START + MINUTE)).toEqual({ kind: "counted", reason: "counted", seen: 2, needed: 3 });
    expect(decide(START + 10 * MINUTE)).toEqual({
      kind: "ban",
      reason: "threshold",
      ban: {
        prefix: parsePrefix(ATTACKER),
        target: "default",
        jail: "sshd",
        reason: "3 failures in 10m",
        since: START + 10 * MINUTE,
        until: START + 10 * MINUTE + HOUR,
        origin: "local",
      },
    });
  });

  it("after a crash, does not count lines of the backlog without a time again for an address that was reset or whose ban ended", () => {
    const { jail } = new JailAndBook(jailWith());
    jail.recallReset(a("198.51.100.1"), START);
    const made = { prefix: parsePrefix("198.51.100.2") as Prefix, reason: "3 failures in 10m", until: START };
    jail.recall({ ...made, since: START - MINUTE }, START);
    const fail = (host: string, isBacklog: boolean): string =>
      jail.decide({ address: a(host), at: null, count: 1, isBacklog }, null, START + 1).kind;
    expect(fail("198.51.100.1", true)).toBe("ignored");
    expect(fail("198.51.100.2", true)).toBe("ignored");
    expect(fail("198.51.100.3", true)).toBe("counted");
    expect(fail("198.51.100.1", false)).toBe("counted");
    expect(fail("198.51.100.2", false)).toBe("counted");
  });

  it("drops failures older than findtime", () => {
    const pair = new JailAndBook(jailWith());
    const times = [0, 5 * MINUTE, 10 * MINUTE + 1, 16 * MINUTE, 17 * MINUTE];
    expect(times.map((t) => reasonOf(pair.fail(ATTACKER, START + t)))).toEqual([
      "counted 1 of 3",
      "counted 2 of 3",
      "counted 2 of 3",
      "counted 2 of 3",
      "threshold",
    ]);
  });

  it("does not count a failure during the ban, and starts a new count after its end", () => {
    const pair = new JailAndBook(jailWith({ maxretry: 2 }));
    const times = [0, SECOND, 2 * SECOND, HOUR, HOUR + SECOND, HOUR + 2 * SECOND];
    expect(times.map((t) => reasonOf(pair.fail(ATTACKER, START + t)))).toEqual([
      "counted 1 of 2",
      "threshold",
      "already banned",
      "already banned",
      "counted 1 of 2",
      "threshold",
    ]);
    expect(pair.jail.stats).toMatchObject({ failures: 6, counted: 4, bans: 2, alreadyBanned: 2 });
  });

  it("counts failures more than five seconds after a ban: the ban is not effective", () => {
    const pair = new JailAndBook(jailWith({ maxretry: 1 }));
    pair.fail(ATTACKER, START);
    const later = START + MINUTE;
    pair.fail(ATTACKER, START + 5 * SECOND); // within the grace period
    pair.fail(ATTACKER, later, { at: START + 4 * SECOND }); // read late
    pair.fail(ATTACKER, later, { at: null }); // may be old
    expect(pair.jail.stats).toMatchObject({ alreadyBanned: 3, afterBan: 0 });
    pair.fail(ATTACKER, START + 5 * SECOND + 1, { count: 3 });
    pair.fail(ATTACKER, START + 1, { at: later }); // counts as now, whatever its clock says
    expect(pair.jail.stats).toMatchObject({ failures: 8, alreadyBanned: 7, afterBan: 3 });
  });

  it("bans at the first failure when maxretry is 1, and permanently when bantime is -1", () => {
    const decision = new JailAndBook(jailWith({ maxretry: 1, bantime: FOREVER })).fail(ATTACKER, START);
    expect(decision).toMatchObject({ kind: "ban", ban: { reason: "1 failure", until: FOREVER } });
  });

  it("counts 'message repeated 5 times' five times, and more than maxretry as maxretry", () => {
    const pair = new JailAndBook(jailWith({ maxretry: 7 }));
    expect(reasonOf(pair.fail(ATTACKER, START, { count: 5 }))).toBe("counted 5 of 7");
    expect(reasonOf(pair.fail(ATTACKER, START, { count: 5 }))).toBe("threshold");
    expect(reasonOf(pair.fail("203.0.113.10", START, { count: 1000 }))).toBe("threshold");
    expect(pair.jail.stats).toMatchObject({ failures: 1010, counted: 1010, bans: 2 });
  });

  it("ignores allow-listed and own addresses, and counts that", () => {
    const pair = new JailAndBook(
      jailWith({ maxretry: 1 }, { ignoreip: ["198.51.100.0/24"], own: ["192.0.2.1"] }),
    );
    expect(
      ["198.51.100.7", "192.0.2.1"].map((host) => reasonOf(pair.fail(host, START, { count: 2 }))),
    ).toEqual(["allow-listed", "own address"]);
    expect(pair.jail.stats).toMatchObject({
      failures: 4,
      counted: 0,
      bans: 0,
      allowListed: 2,
      ownAddress: 2,
    });
    expect(["198.51.100.7", "192.0.2.1", ATTACKER].map((host) => pair.jail.ignoring(a(host), START))).toEqual(
      ["allow-listed", "own address", null],
    );
  });

  it("does not count failures older than findtime", () => {
    const pair = new JailAndBook(jailWith({ maxretry: 2 }));
    const findtime = 10 * MINUTE;
    expect(reasonOf(pair.fail(ATTACKER, START, { at: START - findtime - 1 }))).toBe("stale");
    expect(reasonOf(pair.fail(ATTACKER, START, { at: START - findtime }))).toBe("counted 1 of 2");
    expect(pair.jail.stats).toMatchObject({ failures: 2, counted: 1, stale: 1 });
  });

  it("counts a failure from the future as now", () => {
    const pair = new JailAndBook(jailWith());
    pair.fail(ATTACKER, START, { at: START + 30 * DAY });
    expect(pair.jail.seen(a(ATTACKER), START + 10 * MINUTE)).toBe(1);
    expect(pair.jail.seen(a(ATTACKER), START + 10 * MINUTE + 1)).toBe(0);
  });

  it("counts failures dated over a minute ahead", () => {
    const pair = new JailAndBook(jailWith());
    for (const ahead of [0, MINUTE, MINUTE + 1, DAY])
      pair.fail(ATTACKER, START, { at: START + ahead, count: 2 });
    expect(pair.jail.stats).toMatchObject({ failures: 8, future: 4 });
  });

  it("still bans after the clock was set back", () => {
    const pair = new JailAndBook(jailWith());
    pair.fail(ATTACKER, START + DAY, { count: 2 });
    expect([0, 1, 2].map((t) => reasonOf(pair.fail(ATTACKER, START + t)))).toEqual([
      "counted 1 of 3",
      "counted 2 of 3",
      "threshold",
    ]);
  });

  it("counts and bans an IPv6 network as one, and IPv4 by its own length", () => {
    const pair = new JailAndBook(jailWith({ maxretry: 2, ipv6Prefix: 64, ipv4Prefix: 24 }));
    const hosts = [
      "2001:db8:1::1",
      "2001:db8:2::1",
      "2001:db8:1::ffff",
      "2001:db8:1::2",
      "203.0.113.1",
      "203.0.113.2",
    ];
    expect(hosts.map((host) => reasonOf(pair.fail(host, START)))).toEqual([
      "counted 1 of 2",
      "counted 1 of 2",
      "threshold",
      "already banned",
      "counted 1 of 2",
      "threshold",
    ]);
    expect(pair.bans.map((ban) => formatPrefix(ban.prefix))).toEqual(["2001:db8:1::/64", "203.0.113.0/24"]);
  });

  it("bans only the offending address when its network contains an address that is never banned", () => {
    const options = { maxretry: 2, ipv6Prefix: 64, ipv4Prefix: 24 };
    const pair = new JailAndBook(jailWith(options, { ignoreip: ["2001:db8:1::/80"], own: ["192.0.2.1"] }));
    const hosts = [
      "2001:db8:1:0:5::1",
      "2001:db8:1:0:5::2",
      "2001:db8:1:0:5::1",
      "192.0.2.7",
      "192.0.2.7",
      "192.0.2.8",
    ];
    expect(hosts.map((host) => reasonOf(pair.fail(host, START)))).toEqual([
      "counted 1 of 2",
      "threshold",
      "counted 1 of 2",
      "counted 1 of 2",
      "threshold",
      "counted 1 of 2",
    ]);
    expect(pair.bans.map((ban) => formatPrefix(ban.prefix))).toEqual(["2001:db8:1:0:5::2", "192.0.2.7"]);
  });

  it("counts an IPv6 network as one and bans its addresses where the target holds no networks", () => {
    const steps = [{ maxretry: 2, times: 1, target: "default", bantime: 60_000, singleV6: true } as const];
    const pair = new JailAndBook(jailWith({ maxretry: 2, ipv6Prefix: 64, ipv4Prefix: 24, steps }));
    for (const host of ["2001:db8:1::1", "2001:db8:1::2", "2001:db8:1::3", "203.0.113.1", "203.0.113.2"])
      pair.fail(host, START);
    expect(pair.bans.map((ban) => formatPrefix(ban.prefix))).toEqual(["2001:db8:1::2", "203.0.113.0/24"]);
  });

  it("needs room for one counter, however many addresses of one IPv6 network fail", () => {
    const pair = new JailAndBook(jailWith({ maxretry: 2000, ipv6Prefix: 64 }));
    for (let i = 1; i < 2000; i++) pair.fail(`2001:db8::${i.toString(16)}`, START);
    expect([pair.jail.counting.size, pair.bans.length]).toEqual([1, 0]);
  });

  it("forgets the failures of an address after a successful login", () => {
    const pair = new JailAndBook(jailWith({ ipv6Prefix: 64 }));
    pair.fail("2001:db8::1", START, { count: 2 });
    expect([1, 2].map(() => pair.jail.forgive(a("2001:db8::2"), START, PLAIN))).toEqual([true, false]);
    expect(reasonOf(pair.fail("2001:db8::1", START))).toBe("counted 1 of 3");
    expect(pair.jail.stats.good).toBe(2);
  });

  it("agrees with a naive model", () => {
    const step = fc.record({
      host: fc.constantFrom(
        "203.0.113.1",
        "203.0.113.2",
        "2001:db8::1",
        "2001:db8::2",
        "2001:db8:1::1",
        "198.51.100.1",
      ),
      wait: fc.constantFrom(0, 1, SECOND, MINUTE, 5 * MINUTE, HOUR, -MINUTE, -DAY),
      age: fc.constantFrom(0, 0, 0, SECOND, 9 * MINUTE, 10 * MINUTE, 10 * MINUTE + 1, -HOUR),
      count: fc.constantFrom(1, 1, 1, 2, 9),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.array(step, { maxLength: 80, size: "max" }),
        (maxretry, steps) => {
          const findtime = 10 * MINUTE;
          const pair = new JailAndBook(
            jailWith({ maxretry, findtime, ipv6Prefix: 64 }, { ignoreip: ["198.51.100.0/24"] }),
          );
          const failures = new Map<string, Instant[]>();
          const banned = new Map<string, Instant>();
          let now = START;
          for (const { host, wait, age, count } of steps) {
            now += wait;
            const at = Math.min(now, now - age);
            const network = host.includes(":") ? host.split("::")[0]! : host;
            const expected = ((): string => {
              if ((banned.get(network) ?? 0) > now) return "already banned";
              if (host.startsWith("198")) return "allow-listed";
              if (now - at > findtime) return "stale";
              const known = failures.get(network) ?? [];
              const newest = Math.max(at, ...known);
              // Only a clock that was set back leaves failures so much later than one that is not stale.
              const all = [...(newest - at > findtime ? [] : known), ...Array<Instant>(count).fill(at)];
              const seen = all.filter((t) => t >= Math.max(at, ...all) - findtime);
              failures.set(network, seen.length >= maxretry ? [] : seen);
              if (seen.length < maxretry) return `counted ${seen.length} of ${maxretry}`;
              banned.set(network, now + HOUR);
              return "threshold";
            })();
            expect(reasonOf(pair.fail(host, now, { at: now - age, count }))).toBe(expected);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("Jail.reconfigure()", () => {
  it("keeps the counts unless an option that affects counting changes", () => {
    const jail = jailWith();
    const ignore = new IgnoreList([], null);
    jail.decide({ address: a(ATTACKER), at: START, count: 2 }, null, START);
    const slower = { maxretry: 3, times: 1, target: "slow", bantime: DAY };
    jail.reconfigure({ ...jail.options, steps: [slower] }, ignore);
    expect(jail.seen(a(ATTACKER), START)).toBe(2);
    const decision = jail.decide({ address: a(ATTACKER), at: START, count: 1 }, null, START);
    expect(decision).toMatchObject({ kind: "ban", ban: { target: "slow", until: START + DAY } });
    jail.decide({ address: a(ATTACKER), at: START, count: 1 }, null, START);
    jail.reconfigure(
      { ...jail.options, findtime: FOREVER, maxretry: 2, steps: [{ ...slower, maxretry: 2 }] },
      ignore,
    );
    expect(jail.seen(a(ATTACKER), START)).toBe(0);
    expect(jail.decide({ address: a(ATTACKER), at: START, count: 2 }, null, START)).toMatchObject({
      ban: { reason: "2 failures" },
    });
  });
});

/** A good line that neither trusts nor lifts a ban. */
const PLAIN = { trustFor: 0, hasBan: false };

describe("a good line", () => {
  const address = a("192.0.2.1");

  it("forgives what came before it once in findtime", () => {
    const jail = jailWith();
    const fail = (now: number): string => jail.decide({ address, at: now, count: 1 }, null, now).kind;
    fail(START);
    fail(START);
    expect(jail.forgive(address, START + 1, PLAIN)).toBe(true);
    expect([fail(START + 2), fail(START + 3)]).toEqual(["counted", "counted"]);
    expect(jail.forgive(address, START + 4, PLAIN)).toBe(false);
    expect(fail(START + 5)).toBe("ban");
    expect(jail.forgive(address, START + 6, { trustFor: 0, hasBan: true })).toBe(false);
    expect(jail.stats.unforgiven).toBe(2);
    expect(jail.forgive(address, START + 10 * MINUTE + 2, { trustFor: 0, hasBan: true })).toBe(true);
  });

  it("does not use that up when there is nothing to forgive", () => {
    const jail = jailWith();
    for (let i = 0; i < 5; i++) expect(jail.forgive(address, START + i, PLAIN)).toBe(false);
    jail.decide({ address, at: START + 9, count: 1 }, null, START + 9);
    expect(jail.forgive(address, START + 10, PLAIN)).toBe(true);
    expect(jail.stats.unforgiven).toBe(0);
  });
});

it.each(["0.0.0.0", "255.255.255.255", "224.0.0.1", "fe80::1", "::"])(
  "a jail does not count %s, from which no packet of a client comes",
  (text) => {
    const jail = jailWith({ maxretry: 1 });
    const decision = jail.decide({ address: a(text), at: START, count: 2 }, null, START);
    expect(decision).toEqual({ kind: "ignored", reason: "impossible address" });
    expect(jail.stats).toMatchObject({ failures: 2, counted: 0, impossible: 2 });
  },
);

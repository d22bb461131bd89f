import { describe, expect, it } from "vitest";
import { Book } from "../book/book.ts";
import { ManualClock } from "../core/clock.ts";
import { formatPrefix, parsePrefix } from "../core/prefix.ts";
import { HOUR, MINUTE, SECOND } from "../core/time.ts";
import { Evidence } from "../jail/evidence.ts";
import { compileFilter } from "../match/filter/filter.ts";
import { LOSS_FILTER } from "../match/loss.ts";
import { createMatcher } from "../match/matcher.ts";
import { fixedZone } from "../match/time/time-zone.ts";
import { runningJail } from "./builders.test-support.ts";
import { NameLookup } from "./name-lookup.ts";
import { Flow, type RunningJail } from "./pipeline.ts";
import { explainAddress } from "./why.ts";

const START = Date.UTC(2026, 10, 20, 12);

const resolve = (name: string): Promise<{ address: string }[]> =>
  name === "attacker.example"
    ? Promise.resolve([{ address: "192.0.2.77" }])
    : Promise.reject(new Error("no such name"));

class Bench {
  readonly clock = new ManualClock(START);
  readonly book = new Book({ capacity: 1000, changes: 1000 });
  readonly evidence = new Evidence({ lines: 100, bans: 10 });
  readonly jails: readonly RunningJail[];
  readonly flow: Flow;
  /** How its bans are enforced. */
  standing = (): { enforced: boolean; trouble: string | null } => ({ enforced: true, trouble: null });

  constructor(...options: Parameters<typeof runningJail>[0][]) {
    this.jails = options.map((option) => runningJail(option));
    const filters = [...this.jails.flatMap(({ config }) => config.filter ?? []), LOSS_FILTER].map(
      (definition) => {
        const { filter, problems } = compileFilter(definition);
        if (filter === null) throw new Error(problems[0]?.fact);
        return filter;
      },
    );
    const wiring = {
      matcher: createMatcher(filters),
      jails: this.jails.map((jail) => [jail]),
      lossFilter: this.jails.length,
      zone: fixedZone(0),
    };
    this.flow = new Flow(wiring, {
      book: this.book,
      evidence: this.evidence,
      names: new NameLookup(resolve),
      clock: this.clock,
    });
  }

  /** Lines at the clock's time, or so many milliseconds from it. */
  read(lines: readonly string[], shift = 0, backlog = false): void {
    const time = new Date(this.clock.now() + shift).toISOString();
    const bytes = Buffer.from(lines.map((line) => `${time} host ${line}\n`).join(""));
    this.flow.sink({ bytes, start: 0, end: bytes.length, backlog });
  }

  banned(): string[] {
    return [...this.book.bans()]
      .filter((ban) => ban.until > this.clock.now())
      .map((ban) => `${formatPrefix(ban.prefix)} ${ban.jail}`);
  }
}

const fail = (address: string, times: number): string[] => Array<string>(times).fill(`fail ${address}`);

describe("Flow", () => {
  it("bans at failure number maxretry", () => {
    const bench = new Bench({ maxretry: 3 });
    bench.read(fail("192.0.2.1", 2));
    expect(bench.banned()).toEqual([]);
    bench.read(fail("192.0.2.1", 1));
    expect(bench.banned()).toEqual(["192.0.2.1 test"]);
  });

  it("neither bans again nor counts during a ban, and starts at zero after it", () => {
    const bench = new Bench({ maxretry: 2, bantime: MINUTE });
    bench.read(fail("192.0.2.1", 10));
    expect([bench.book.feed.last, bench.jails[0]?.jail.stats]).toMatchObject([
      1,
      { counted: 2, alreadyBanned: 8, bans: 1 },
    ]);
    bench.clock.advance(MINUTE);
    bench.read(fail("192.0.2.1", 1));
    expect(bench.banned()).toEqual([]);
    bench.read(fail("192.0.2.1", 1));
    expect(bench.banned()).toEqual(["192.0.2.1 test"]);
  });

  it("counts at the lines' own time, ignores stale lines, and takes a future time as now", () => {
    const bench = new Bench({ maxretry: 2, findtime: 10 * MINUTE });
    bench.read(fail("192.0.2.1", 5), -11 * MINUTE);
    bench.read(fail("192.0.2.2", 1), -9 * MINUTE);
    bench.read(fail("192.0.2.2", 1), -1 * SECOND);
    bench.read(fail("192.0.2.3", 1), 24 * HOUR);
    bench.clock.advance(9 * MINUTE);
    bench.read(fail("192.0.2.3", 1));
    expect(bench.banned()).toEqual(["192.0.2.2 test", "192.0.2.3 test"]);
    expect(bench.jails[0]?.jail.stats.stale).toBe(5);
  });

  it("counts and bans an IPv6 network as one", () => {
    const bench = new Bench({ maxretry: 3, ipv6Prefix: 64 });
    bench.read([
      "fail 2001:db8:0:1::1",
      "fail 2001:db8:0:1::2",
      "fail 2001:db8:0:2::1",
      "fail 2001:db8:0:1:ffff::",
    ]);
    expect(bench.banned()).toEqual(["2001:db8:0:1::/64 test"]);
  });

  it("does not ban ignored addresses", () => {
    const network = parsePrefix("192.0.2.0/24");
    const bench = new Bench({ maxretry: 1, ignoreip: network === null ? [] : [network] });
    bench.read([...fail("192.0.2.1", 5), ...fail("::ffff:192.0.2.9", 5), ...fail("198.51.100.1", 1)]);
    expect(bench.banned()).toEqual(["198.51.100.1 test"]);
  });

  it("forgets failures after a good line, and unbans when the jail says so", () => {
    const bench = new Bench(
      { name: "forgets", maxretry: 2 },
      { name: "frees", maxretry: 1, onGood: "unban", target: "slow" },
    );
    bench.read(["fail 192.0.2.1", "good 192.0.2.1"]);
    expect(bench.banned()).toEqual([]);
    expect(bench.book.feed.last).toBe(2);
    // Once in findtime.
    bench.read(["fail 192.0.2.1", "good 192.0.2.1"]);
    expect(bench.banned()).toEqual(["192.0.2.1 frees"]);
  });

  it("resolves names for jails with usedns only", async () => {
    const bench = new Bench(
      { name: "asks", maxretry: 1, usedns: true, target: "a" },
      { name: "does not", maxretry: 1 },
    );
    bench.read(["fail attacker.example", "fail no-such-name.invalid"]);
    await new Promise((done) => setImmediate(done));
    expect(bench.banned()).toEqual(["192.0.2.77 asks"]);
  });

  it("measures the lag of the last line", () => {
    const bench = new Bench({});
    expect(bench.flow.lag).toBeNull();
    bench.read(fail("192.0.2.1", 1), -3 * SECOND);
    expect(bench.flow.lag).toBe(3 * SECOND);
    bench.read(fail("192.0.2.1", 1), -8 * MINUTE, true);
    expect(bench.flow.lag).toBe(3 * SECOND);
  });

  it("counts failures that arrive in spite of a ban", () => {
    const bench = new Bench({ maxretry: 1 });
    bench.read(fail("192.0.2.1", 1));
    bench.read(fail("192.0.2.1", 2), 4 * SECOND);
    bench.clock.advance(MINUTE);
    bench.read(fail("192.0.2.1", 3));
    bench.read(fail("192.0.2.1", 4), -MINUTE, true);
    expect(bench.jails[0]?.jail.stats).toMatchObject({ failures: 10, alreadyBanned: 9, afterBan: 3 });
  });

  it("notices lines that the log's writer dropped, and does not count them as failures", () => {
    const bench = new Bench({ maxretry: 1 });
    bench.read(["rsyslogd: imjournal: 236 messages lost due to rate-limiting", ...fail("192.0.2.1", 1)]);
    expect(bench.flow.blindness.lines).toBe(236);
    expect(bench.jails[0]?.jail.stats.failures).toBe(1);
  });

  it("measures lines and bytes", () => {
    const bench = new Bench({});
    bench.flow.meter.tick(START);
    bench.read(Array<string>(500).fill("nothing of interest"));
    bench.flow.meter.tick(START + 2 * SECOND);
    expect(bench.flow.meter.linesPerSecond).toBeCloseTo(250);
    expect(bench.flow.meter.bytesPerSecond).toBe(bench.flow.meter.bytes / 2);
  });
});

describe("explainAddress()", () => {
  it("gives the lines and the reason of a ban", () => {
    const bench = new Bench({ maxretry: 2 });
    bench.read(["fail 192.0.2.1", "fail 192.0.2.9", "fail 192.0.2.1"]);
    const why = explainAddress("192.0.2.1", bench, START);
    expect(why).toMatchObject({
      banned: true,
      summary: "192.0.2.1 is banned at default by test until 2026-11-20T13:00:00.000Z: 2 failures in 10m",
      lines: ["2026-11-20T12:00:00.000Z host fail 192.0.2.1", "2026-11-20T12:00:00.000Z host fail 192.0.2.1"],
    });
  });

  it("gives the count so far, and why an address is ignored", () => {
    const network = parsePrefix("198.51.100.0/24");
    const bench = new Bench({ ignoreip: network === null ? [] : [network] });
    bench.read(["fail 192.0.2.1"]);
    const summary = (text: string): string | undefined => explainAddress(text, bench, START)?.summary;
    expect(summary("192.0.2.1")).toBe("192.0.2.1 is not banned: test counted 1 of 5");
    expect(summary("192.0.2.2")).toBe("192.0.2.2 is not banned: no failures seen");
    expect(summary("198.51.100.1")).toBe("198.51.100.1 is not banned: it is allow-listed");
    expect(explainAddress("nothing", bench, START)).toBeNull();
    const lists = () =>
      [
        { name: "tried", verdict: "count" },
        { name: "bad", verdict: "drop" },
      ] as const;
    const { book, jails, evidence, standing } = bench;
    expect(explainAddress("192.0.2.2", { book, jails, evidence, standing, lists }, START)).toMatchObject({
      summary: "192.0.2.2 is not banned, but blocked: it is on the list bad",
      lists: lists(),
    });
  });
});

import { describe, expect, it } from "vitest";
import { MINUTE, SECOND } from "../../core/time.ts";
import { LIMITS } from "../../core/limits.ts";
import { type CompiledFilter, compileFilter, type FilterDefinition } from "../filter/filter.ts";
import { createMatcher, type Matcher } from "../matcher.ts";
import { fixedZone } from "../time/time-zone.ts";
import { Sessions, type SessionLine } from "./sessions.ts";

const START = Date.UTC(2026, 10, 20, 15);

function filterOf(parts: Partial<FilterDefinition>): CompiledFilter {
  const empty = { name: "door", failregex: [], ignoreregex: [], goodregex: [] };
  const { filter, problems } = compileFilter({ ...empty, ...parts });
  if (filter === null) throw new Error(problems.map(({ fact }) => fact).join("; "));
  return filter;
}

const DOOR = {
  failregex: [
    "^<F-MLFID>conn=\\d+</F-MLFID> <F-NOFAIL>accepted</F-NOFAIL> from <HOST>$",
    "^<F-MLFID>conn=\\d+</F-MLFID> wrong password(?: of <F-USER>\\S+</F-USER>)?$",
    "^<F-MLFID>conn=\\d+</F-MLFID> <F-MLFGAINED>welcome</F-MLFGAINED>(?: <F-USER>\\S+</F-USER>)?$",
    "^<F-MLFID>conn=\\d+</F-MLFID> <F-NOFAIL><F-MLFFORGET>closed</F-MLFFORGET></F-NOFAIL>(?: by <HOST>)?$",
    "^<F-MLFID>conn=\\d+</F-MLFID> thrown out: <HOST>$",
  ],
};

describe.each(["naive", "fast"] as const)("sessions, by the %s engine", (engine) => {
  function hosts(matcher: Matcher, lines: readonly string[], now = START, log?: object): string[] {
    const found: string[] = [];
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""), "latin1");
    const batch = {
      bytes,
      start: 0,
      end: bytes.length,
      backlog: false,
      ...(log === undefined ? {} : { log }),
    };
    matcher.scan(batch, { now, zone: fixedZone(0) }, ({ kind, host, line }) =>
      found.push(`${kind} ${host}: ${line}`),
    );
    return found;
  }
  const door = (parts: Partial<FilterDefinition> = {}): Matcher =>
    createMatcher([filterOf({ ...DOOR, ...parts })], { engine });

  it("a line without an address counts for the address of its session", () => {
    const lines = [
      "conn=1 accepted from 192.0.2.1",
      "conn=2 accepted from 192.0.2.2",
      "conn=1 wrong password",
    ];
    expect(hosts(door(), lines)).toEqual(["failure 192.0.2.1: conn=1 wrong password"]);
  });

  it("a failure before the address waits for it", () => {
    const lines = ["conn=1 wrong password", "conn=1 accepted from 192.0.2.1", "conn=1 closed"];
    expect(hosts(door(), lines)).toEqual(["failure 192.0.2.1: conn=1 accepted from 192.0.2.1"]);
  });

  it("a session ends with its last line", () => {
    const lines = ["conn=1 accepted from 192.0.2.1", "conn=1 closed", "conn=1 wrong password"];
    expect(hosts(door(), lines)).toEqual([]);
  });

  it("a log-in that succeeds drops the failure that waits", () => {
    const lines = ["conn=1 wrong password", "conn=1 welcome", "conn=1 accepted from 192.0.2.1"];
    expect(hosts(door(), lines)).toEqual([]);
  });

  it("a log-in after another user's failure counts", () => {
    const lines = [
      "conn=1 accepted from 192.0.2.1",
      "conn=1 wrong password of root",
      "conn=1 welcome root",
      "conn=1 welcome anna",
    ];
    expect(hosts(door(), lines)).toEqual([
      "failure 192.0.2.1: conn=1 wrong password of root",
      "failure 192.0.2.1: conn=1 welcome anna",
    ]);
  });

  it("a session that begins again knows nothing of the one before", () => {
    const failregex = [
      "^<F-MLFID>conn=\\d+</F-MLFID> <F-NOFAIL><F-MLFBEGIN>accepted</F-MLFBEGIN></F-NOFAIL>(?: from <HOST>)?$",
      "^<F-MLFID>conn=\\d+</F-MLFID> wrong password$",
    ];
    const lines = ["conn=1 wrong password", "conn=1 accepted from 192.0.2.1", "conn=1 accepted"];
    expect(hosts(door({ failregex }), [...lines, "conn=1 wrong password"])).toEqual([]);
  });

  it("the line's own address goes before that of its session", () => {
    const lines = ["conn=1 accepted from 192.0.2.1", "conn=1 thrown out: 192.0.2.7", "conn=1 wrong password"];
    expect(hosts(door(), lines)).toEqual([
      "failure 192.0.2.7: conn=1 thrown out: 192.0.2.7",
      "failure 192.0.2.7: conn=1 wrong password",
    ]);
  });

  it("a session is over some time after its last line", () => {
    const matcher = door({ session: 2 * MINUTE });
    hosts(matcher, ["conn=1 accepted from 192.0.2.1"]);
    expect(hosts(matcher, ["conn=1 wrong password"], START + 2 * MINUTE)).toHaveLength(1);
    expect(hosts(matcher, ["conn=1 wrong password"], START + 4 * MINUTE + SECOND)).toEqual([]);
  });

  it("sessions of two logs with the same id are two", () => {
    const matcher = door();
    const [one, other] = [{}, {}];
    hosts(matcher, ["conn=1 accepted from 192.0.2.1"], START, one);
    expect(hosts(matcher, ["conn=1 wrong password"], START, other)).toEqual([]);
    expect(hosts(matcher, ["conn=1 wrong password"], START, one)).toHaveLength(1);
  });

  it("sessions of two filters with the same id are two", () => {
    const only = filterOf({ failregex: DOOR.failregex.slice(0, 2), session: MINUTE });
    const other = filterOf({ failregex: [DOOR.failregex[1] ?? "", "^<F-MLFID>x</F-MLFID> <HOST>$"] });
    const matcher = createMatcher([only, other], { engine });
    expect(hosts(matcher, ["conn=1 accepted from 192.0.2.1", "conn=1 wrong password"])).toHaveLength(1);
  });

  it("a good line without an address is one of its session", () => {
    const goodregex = ["^<F-MLFID>conn=\\d+</F-MLFID> hello$"];
    const matcher = createMatcher([filterOf({ ...DOOR, goodregex })], { engine });
    expect(hosts(matcher, ["conn=1 hello", "conn=2 accepted from 192.0.2.1", "conn=2 hello"])).toEqual([
      "good 192.0.2.1: conn=2 hello",
    ]);
  });

  it("a line that is not a failure does not count without a session either", () => {
    const failregex = ["^(?:<F-NOFAIL>publickey</F-NOFAIL>|password) of <HOST>$"];
    const matcher = createMatcher([filterOf({ failregex })], { engine });
    expect(hosts(matcher, ["publickey of 192.0.2.1", "password of 192.0.2.2"])).toEqual([
      "failure 192.0.2.2: password of 192.0.2.2",
    ]);
  });

  it("an ignored line says nothing of its session", () => {
    const lines = ["conn=1 accepted from 192.0.2.1", "conn=1 wrong password"];
    expect(hosts(door({ ignoreregex: ["accepted"] }), lines)).toEqual([]);
  });

  it("a line that is cut takes no part", () => {
    const matcher = door();
    const isCut = (): boolean => true;
    const found: string[] = [];
    const bytes = Buffer.from("conn=1 accepted from 192.0.2.1\n", "latin1");
    const context = { now: START, zone: fixedZone(0), cuts: { least: 0, isCut } };
    matcher.scan({ bytes, start: 0, end: bytes.length, backlog: false }, context, ({ host }) =>
      found.push(host),
    );
    expect(found).toEqual([]);
    expect(hosts(matcher, ["conn=1 wrong password"])).toEqual([]);
  });

  it("the id of prefregex holds for every pattern", () => {
    const matcher = createMatcher(
      [
        filterOf({
          prefregex: "^door\\[<F-MLFID>\\d+</F-MLFID>\\]: <F-CONTENT>.+</F-CONTENT>$",
          failregex: ["^<F-NOFAIL>knock</F-NOFAIL> by <HOST>$", "^no key$"],
        }),
      ],
      { engine },
    );
    expect(hosts(matcher, ["door[7]: knock by 192.0.2.1", "door[8]: no key", "door[7]: no key"])).toEqual([
      "failure 192.0.2.1: door[7]: no key",
    ]);
  });

  it("a flood of sessions forgets the oldest, and counts them [limit: lineSessions]", () => {
    const matcher = door();
    hosts(matcher, ["conn=0 accepted from 192.0.2.1", "conn=1 accepted from 192.0.2.2"]);
    const batch = 20_000;
    for (let from = 2; from < LIMITS.lineSessions.value + batch; from += batch) {
      const lines = Array.from({ length: batch }, (_, i) => `conn=${from + i} accepted from 198.51.100.1`);
      hosts(matcher, ["conn=1 wrong password", ...lines]);
    }
    expect(matcher.stats.sessionsForgotten).toBeGreaterThan(0);
    expect(hosts(matcher, ["conn=0 wrong password"])).toEqual([]);
    expect(hosts(matcher, ["conn=1 wrong password"])).toHaveLength(1);
  });
});

describe("the table", () => {
  const line: SessionLine = {
    id: "",
    filter: 0,
    at: START,
    age: MINUTE,
    address: { w0: 0, w1: 0, w2: 0xffff, w3: 1 },
    hasHost: true,
    user: "",
    isNote: true,
    isGained: false,
    isBegin: false,
    isEnd: false,
  };

  it("holds a session in less than a hundred bytes", () => {
    const sessions = new Sessions(100_000);
    for (let i = 0; i < 100_000; i++) sessions.counts({ ...line, id: `conn=${i}` });
    expect(sessions.table.size).toBe(100_000);
    expect(sessions.table.bytes / 100_000).toBeLessThan(100);
  });

  it("uses the places of sessions that ended again", () => {
    const sessions = new Sessions(100);
    for (let i = 0; i < 1000; i++) {
      sessions.counts({ ...line, id: `conn=${i}` });
      sessions.counts({ ...line, id: `conn=${i}`, isEnd: true });
    }
    expect([sessions.table.size, sessions.table.forgotten]).toEqual([0, 0]);
  });
});

describe("a filter", () => {
  const factsOf = (parts: Partial<FilterDefinition>) =>
    compileFilter({ name: "x", failregex: [], ignoreregex: [], goodregex: [], ...parts }).problems.map(
      ({ fact, severity }) => `${severity}: ${fact}`,
    );

  it("needs an address in one line of a session", () => {
    expect(factsOf({ failregex: ["^<F-MLFID>\\d+</F-MLFID> wrong password$"] })).toEqual([
      "error: has no <HOST> in any line of a session",
    ]);
  });

  it("is warned of tags of sessions without an id", () => {
    expect(factsOf({ failregex: ["^<F-MLFGAINED>welcome</F-MLFGAINED> <HOST>$"] })).toEqual([
      "warning: has <F-MLFGAINED> or <F-MLFFORGET> without <F-MLFID>: they change nothing",
    ]);
  });
});

import { describe, expect, it } from "vitest";
import { type Address, parseAddress } from "../core/address.ts";
import { LIMITS } from "../core/limits.ts";
import { formatPrefix, parsePrefix, type Prefix } from "../core/prefix.ts";
import { HOUR, SECOND } from "../core/time.ts";
import { IgnoreList } from "./ignore.ts";
import { Jail } from "./jail.ts";
import { jailWith } from "./jail.test-support.ts";
import { LiveSessions } from "./live-sessions.ts";

const a = (text: string): Address => parseAddress(text) as Address;
const p = (text: string): Prefix => parsePrefix(text) as Prefix;

function sessions(...addresses: string[]) {
  const state = { addresses, reads: 0, said: [] as string[] };
  const live = new LiveSessions({
    read: () => {
      state.reads++;
      return state.addresses.map(a);
    },
    warn: (sentence) => state.said.push(sentence),
  });
  return { live, state };
}

describe("the addresses of live sessions", () => {
  it("are read once a second at most, and only when a ban is decided", () => {
    const { live, state } = sessions("198.51.100.7");
    expect([live.has(a("198.51.100.7"), 0), live.has(a("198.51.100.8"), 999)]).toEqual([true, false]);
    expect(state.reads).toBe(1);
    state.addresses = ["198.51.100.8"];
    expect([live.has(a("198.51.100.7"), SECOND), live.has(a("198.51.100.8"), SECOND)]).toEqual([false, true]);
    expect(live.meets(p("198.51.100.0/24"), SECOND)).toBe(true);
    expect(live.meets(p("203.0.113.0/24"), SECOND)).toBe(false);
  });

  it("are none when the configuration says so", () => {
    const { live, state } = sessions("198.51.100.7");
    live.isOn = false;
    expect([live.has(a("198.51.100.7"), 0), live.meets(p("::/0"), 0), state.reads]).toEqual([
      false,
      false,
      0,
    ]);
  });

  it("are bounded: more sessions are not spared [limit: sessions]", () => {
    const many = Array.from({ length: LIMITS.sessions.value + 1 }, (_, i) => `203.0.${i >> 8}.${i & 255}`);
    const { live } = sessions(...many);
    const jail = spareJail(live);
    for (const host of [many[0], many.at(-1)]) for (const _ of [1, 2]) fail(jail, host ?? "", 0);
    expect([jail.stats.spared, jail.stats.bans]).toEqual([1, 1]);
  });
});

function spareJail(live: LiveSessions, options: Parameters<typeof jailWith>[0] = {}): Jail {
  const { options: full } = jailWith({ maxretry: 2, ...options });
  return new Jail(full, new IgnoreList([], null, null, { sessions: live }));
}

function fail(jail: Jail, host: string, now: number): string {
  const decision = jail.decide({ address: a(host), at: now, count: 1 }, null, now);
  return decision.kind === "ban" ? formatPrefix(decision.ban.prefix) : decision.reason;
}

describe("a jail", () => {
  it("does not ban an address from which a user is logged in, and says so once an hour", () => {
    const { live, state } = sessions("198.51.100.7");
    const jail = spareJail(live);
    for (let i = 0; i < 8; i++) fail(jail, "198.51.100.7", i);
    expect([fail(jail, "198.51.100.8", 9), fail(jail, "198.51.100.8", 9)]).toEqual([
      "counted",
      "198.51.100.8",
    ]);
    expect(jail.stats).toMatchObject({ spared: 4, bans: 1 });
    expect(state.said).toEqual([
      "Spared 198.51.100.7: a user is logged in from there, although sshd would ban it",
    ]);
    fail(jail, "198.51.100.7", 2 * HOUR);
    fail(jail, "198.51.100.7", 2 * HOUR);
    expect(state.said).toHaveLength(2);
    expect(jail.ignoring(a("198.51.100.7"), 2 * HOUR)).toBe("live session");
  });

  it("bans it when the session is over", () => {
    const { live, state } = sessions("198.51.100.7");
    const jail = spareJail(live);
    expect([1, 2].map(() => fail(jail, "198.51.100.7", 0))).toEqual(["counted", "live session"]);
    state.addresses = [];
    expect([1, 2].map(() => fail(jail, "198.51.100.7", SECOND))).toEqual(["counted", "198.51.100.7"]);
  });

  it("throttles it", () => {
    const steps = [
      { maxretry: 1, times: 1, target: "slow", bantime: HOUR, isMild: true },
      { maxretry: 2, times: 1, target: "default", bantime: HOUR },
    ] as const;
    const jail = spareJail(sessions("198.51.100.7").live, { steps });
    expect([1, 2].map(() => fail(jail, "198.51.100.7", 0))).toEqual(["198.51.100.7", "live session"]);
  });

  it("bans single addresses of a network in which a user is logged in", () => {
    const jail = spareJail(sessions("2001:db8::7").live, { ipv6Prefix: 64 });
    expect(["2001:db8::8", "2001:db8::9"].map((host) => fail(jail, host, 0))).toEqual([
      "counted",
      "2001:db8::9",
    ]);
    expect(["2001:db8::8", "2001:db8::7"].map((host) => fail(jail, host, 0))).toEqual([
      "counted",
      "live session",
    ]);
  });
});

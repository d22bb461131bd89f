import { describe, expect, it } from "vitest";
import { Book } from "../book/book.ts";
import { parseAddress } from "../core/address.ts";
import { ManualClock } from "../core/clock.ts";
import { LIMITS } from "../core/limits.ts";
import { Packet, type PacketBatch, PROTOCOLS, TCP_FLAGS } from "../core/packet.ts";
import { formatPrefix, parsePrefix } from "../core/prefix.ts";
import { MINUTE, SECOND } from "../core/time.ts";
import { Evidence } from "../jail/evidence.ts";
import { compileSelection, type PacketSelection } from "../match/packet/selector.ts";
import { runningJail } from "./builders.test-support.ts";
import { BanCap } from "./ban-cap.ts";
import { NameLookup } from "./name-lookup.ts";
import { PacketFlow } from "./packet-flow.ts";
import { explainAddress } from "./why.ts";

const START = Date.UTC(2026, 10, 20, 12);

class Bench {
  readonly clock = new ManualClock(START);
  readonly book: Book;
  readonly evidence = new Evidence({ lines: 100, bans: 10 });
  readonly jails: ReturnType<typeof runningJail>[];
  readonly cap = new BanCap(Number.POSITIVE_INFINITY);
  readonly flow: PacketFlow;

  constructor(
    jails: readonly (Parameters<typeof runningJail>[0] & { readonly packets?: PacketSelection })[],
    capacity = 1000,
  ) {
    this.book = new Book({ capacity, changes: 1000 });
    this.jails = jails.map((options) => runningJail({ filter: null, packets: {}, ...options }));
    this.flow = new PacketFlow(
      {
        jails: this.jails.map((running) => ({
          running,
          selects: compileSelection(running.config.packets ?? {}),
        })),
      },
      {
        book: this.book,
        evidence: this.evidence,
        names: new NameLookup(() => Promise.reject(new Error("not asked"))),
        clock: this.clock,
        cap: this.cap,
      },
    );
  }

  /** SYN packets to port 22 from these sources, all in one batch. */
  see(...sources: string[]): void {
    this.flow.sink(syns(sources));
  }

  banned(): string[] {
    return [...this.book.bans()]
      .filter((ban) => ban.until > this.clock.now())
      .map((ban) => `${formatPrefix(ban.prefix)} ${ban.jail}`);
  }
}

/** One object for all packets, as in the sources. */
function syns(sources: readonly string[]): PacketBatch {
  const packet = new Packet();
  const fixed = {
    protocol: PROTOCOLS.tcp,
    sourcePort: 4444,
    destinationPort: 22,
    flags: TCP_FLAGS.syn,
    interface: "eth0",
  };
  const waiting = [...sources];
  return {
    packet,
    bytes: sources.length * 100,
    next() {
      const source = waiting.shift();
      if (source === undefined) return false;
      Object.assign(packet, fixed);
      Object.assign(packet.source, parseAddress(source));
      Object.assign(packet.destination, parseAddress("198.51.100.2"));
      return true;
    },
  };
}

const times = (n: number, source: string): string[] => Array<string>(n).fill(source);

const HOLDS = { enforced: true, trouble: null };

describe("PacketFlow", () => {
  it("bans at most the cap in a second; a source that goes on is banned in the next [limit: packetBans]", () => {
    const bench = new Bench([{ maxretry: 2 }]);
    bench.cap.most = 3;
    const sources = Array.from({ length: 10 }, (_, i) => `192.0.2.${i + 1}`);
    bench.see(...sources, ...sources);
    expect(bench.banned()).toHaveLength(3);
    const [flood] = bench.jails;
    expect(bench.cap.putOff(flood!.jail.options.name)).toBe(7);
    expect(flood!.jail.stats.bans).toBe(3);
    bench.clock.advance(1000);
    bench.see(...sources);
    expect(bench.banned()).toHaveLength(6);
  });

  it("bans a source at its packet number maxretry", () => {
    const bench = new Bench([{ maxretry: 3 }]);
    bench.see(...times(2, "192.0.2.1"), ...times(2, "2001:db8::1"));
    expect(bench.banned()).toEqual([]);
    bench.see("192.0.2.1", "192.0.2.2", "2001:db8::1");
    expect(bench.banned()).toEqual(["192.0.2.1 test", "2001:db8::1 test"]);
  });

  it("keeps no reference to the object that packets arrive in", () => {
    const bench = new Bench([
      { maxretry: 1, ipv4Prefix: 24 },
      { name: "hosts", maxretry: 1, target: "other" },
    ]);
    bench.see("192.0.2.1", "198.51.100.7", "203.0.113.9");
    expect(bench.banned().sort()).toEqual([
      "192.0.2.0/24 test",
      "192.0.2.1 hosts",
      "198.51.100.0/24 test",
      "198.51.100.7 hosts",
      "203.0.113.0/24 test",
      "203.0.113.9 hosts",
    ]);
  });

  it("gives a packet only to the jails that select it", () => {
    const bench = new Bench([
      { name: "ssh", maxretry: 1, packets: { ports: [{ first: 22, last: 22 }] } },
      { name: "web", maxretry: 1, packets: { ports: [{ first: 80, last: 80 }] } },
    ]);
    bench.see("192.0.2.1");
    expect(bench.banned()).toEqual(["192.0.2.1 ssh"]);
    expect(bench.jails.map(({ jail }) => jail.stats.failures)).toEqual([1, 0]);
  });

  it("counts packets from banned sources, and decides nothing more about them", () => {
    const bench = new Bench([{ maxretry: 2, bantime: MINUTE }]);
    bench.see(...times(2, "192.0.2.1"));
    bench.clock.advance(10 * SECOND);
    bench.see(...times(50, "192.0.2.1"));
    // The rule may log packets before it drops them: these do not mean that the ban failed.
    expect(bench.jails[0]?.jail.stats).toMatchObject({ counted: 2, alreadyBanned: 50, afterBan: 0, bans: 1 });
    expect(bench.evidence.lines).toBe(2);
    bench.clock.advance(MINUTE);
    bench.see(...times(2, "192.0.2.1"));
    expect(bench.jails[0]?.jail.stats.bans).toBe(2);
  });

  it("does not ban allow-listed sources", () => {
    const bench = new Bench([{ maxretry: 1, ignoreip: [parsePrefix("192.0.2.0/24")!] }]);
    bench.see("192.0.2.1", "198.51.100.1");
    expect(bench.banned()).toEqual(["198.51.100.1 test"]);
    expect(bench.jails[0]?.jail.stats.allowListed).toBe(1);
  });

  it("keeps the counted packets as evidence", () => {
    const bench = new Bench([{ maxretry: 2 }]);
    bench.see(...times(9, "192.0.2.1"));
    const parts = { book: bench.book, jails: bench.jails, evidence: bench.evidence, standing: () => HOLDS };
    expect(explainAddress("192.0.2.1", parts, bench.clock.now())).toMatchObject({
      banned: true,
      lines: times(2, "TCP SYN from 192.0.2.1:4444 to 198.51.100.2:22 on eth0"),
    });
  });

  it("keeps a bounded number of packets a second as evidence, and counts every packet [limit: packetEvidence]", () => {
    const bench = new Bench([{ maxretry: 65_000 }]);
    bench.see(...times(LIMITS.packetEvidence.value + 20, "192.0.2.1"));
    expect(bench.evidence.forgotten).toBe(LIMITS.packetEvidence.value - 100 + 20);
    expect(bench.jails[0]?.jail.stats.counted).toBe(LIMITS.packetEvidence.value + 20);
    bench.clock.advance(SECOND);
    bench.see("192.0.2.2");
    expect(bench.evidence.of(parsePrefix("192.0.2.2")!)).toHaveLength(1);
  });

  it("counts bans that the full book refuses", () => {
    const bench = new Bench([{ maxretry: 1, bantime: Number.POSITIVE_INFINITY }], 2);
    bench.see("192.0.2.1", "192.0.2.2", "192.0.2.3");
    expect(bench.book.refused).toBe(1);
  });

  it("measures packets and bytes a second", () => {
    const bench = new Bench([{}]);
    bench.flow.meter.tick(bench.clock.now());
    bench.see(...times(30, "192.0.2.1"));
    bench.clock.advance(2 * SECOND);
    bench.flow.meter.tick(bench.clock.now());
    expect(bench.flow.meter).toMatchObject({ linesPerSecond: 15, bytesPerSecond: 1500 });
  });
});

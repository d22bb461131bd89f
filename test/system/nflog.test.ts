import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import type { PacketBatch } from "../../src/core/packet.ts";
import { packetWords } from "../../src/core/packet-words.ts";
import { until } from "../support/waiting.ts";
import { ethernetFrame } from "../support/ip-frame.ts";
import { NflogSource } from "../../src/source/nflog/nflog-source.ts";
import { useServerAndAttacker } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { FrameBatch } from "../support/frame-batch.ts";
import { linkEnds, RawLink } from "../support/raw-link.ts";

const fault = namespaceFault() ?? (hasProgram("nft") ? null : "needs the nft program");

const V4 = { source: "203.0.113.7", destination: "192.0.2.1" };
const V6 = { source: "2001:db8:7::7", destination: "2001:db8::1" };

describe.skipIf(fault !== null)(titled("nflog with real packets", fault), () => {
  const { server, attacker } = useServerAndAttacker(
    ["192.0.2.1/24", "2001:db8::1/64"],
    ["192.0.2.66/24", "2001:db8::66/64"],
  );
  let raw: RawLink;

  /** attacker ──── veth0 server, whose rules log all TCP, UDP and SCTP from veth0 to group 5. */
  beforeAll(async () => {
    server.feed(
      `table inet t { chain c { type filter hook prerouting priority raw;
         iifname veth0 tcp flags & (syn|ack) == syn log group 5 prefix "SYN: " snaplen 128 queue-threshold 50 drop;
         iifname veth0 meta l4proto { tcp, udp, sctp } log group 5 prefix "other: " drop; }; }`,
      "nft",
      "-f",
      "-",
    );
    raw = await RawLink.open(attacker, server);
  });
  afterAll(() => {
    raw.close();
  });

  async function start(slow: () => void = () => undefined) {
    const source = new NflogSource("syn", { type: "nflog", group: 5 });
    const got: string[] = [];
    const abort = new AbortController();
    const done = server.inside(async () => {
      const running = source.run((batch: PacketBatch) => {
        slow();
        while (batch.next()) got.push(`${batch.packet.prefix}${packetWords(batch.packet)}`);
      }, abort.signal);
      // The source opens its sockets in the next turns, and must be in the namespace then.
      await Promise.race([
        until("the source listens", () => source.stats.state.startsWith("listens")),
        running,
      ]);
      return { running };
    });
    const { running } = await done;
    const stop = async () => {
      abort.abort();
      await running;
    };
    onTestFinished(stop);
    const received = async (count: number) => {
      await until(
        "the packets are there",
        () => got.length >= count,
        () => `${got.length} of ${count} packets`,
      );
      return got;
    };
    return { source, got, received, stop };
  }

  it("delivers IPv4 and IPv6 packets from any source with prefix and interface", async () => {
    const one = await start();
    raw.send(
      { ...V4, sourcePort: 4444 },
      { ...V6, sourcePort: 4444, destinationPort: 443 },
      { ...V4, flags: ["syn", "ack"] },
      { ...V4, protocol: "udp", destinationPort: 53 },
      { ...V6, protocol: "sctp" },
      { ...V6, extensions: [{ header: 0, bytes: [0, 0, 1, 4, 0, 0, 0, 0] }] },
    );
    expect(await one.received(6)).toEqual([
      "SYN: TCP SYN from 203.0.113.7:4444 to 192.0.2.1:22 on veth0",
      "SYN: TCP SYN from [2001:db8:7::7]:4444 to [2001:db8::1]:443 on veth0",
      "other: TCP SYN,ACK from 203.0.113.7:40000 to 192.0.2.1:22 on veth0",
      "other: UDP from 203.0.113.7:40000 to 192.0.2.1:53 on veth0",
      "other: SCTP from [2001:db8:7::7]:40000 to [2001:db8::1]:22 on veth0",
      "SYN: TCP SYN from [2001:db8:7::7]:40000 to [2001:db8::1]:22 on veth0",
    ]);
    expect(one.source.stats).toMatchObject({ shed: 0, overruns: 0, unusable: 0 });
  });

  it("reads packets behind VLAN tags, before any other hook, and fragments", async () => {
    server.feed(
      `table netdev t { chain c { type filter hook ingress device veth0 priority 0;
         vlan id 42 log group 5 prefix "vlan: " drop;
         ip protocol tcp ip frag-off & 0x1fff != 0 log group 5 prefix "later: " drop; }; }`,
      "nft",
      "-f",
      "-",
    );
    onTestFinished(() => void server.run("nft", "delete", "table", "netdev", "t"));
    const one = await start();
    raw.send(
      { ...V4, vlans: [42], options: 8 },
      { ...V6, vlans: [42], protocol: "udp" },
      { ...V4, vlans: [42, 43], destinationPort: 23 },
      { ...V4, fragmentOffset: 5 },
    );
    expect(await one.received(4)).toEqual([
      "vlan: TCP SYN from 203.0.113.7:40000 to 192.0.2.1:22 on veth0",
      "vlan: UDP from [2001:db8:7::7]:40000 to [2001:db8::1]:22 on veth0",
      "vlan: TCP SYN from 203.0.113.7:40000 to 192.0.2.1:23 on veth0",
      "later: TCP fragment from 203.0.113.7 to 192.0.2.1 on veth0",
    ]);
  });

  it("counts packets that did not fit into the kernel's buffer while it did not read [limit: packetBytes]", async () => {
    const one = await start();
    // Blocks the event loop, as in a stopped process.
    const ends = linkEnds(attacker, server);
    const flood = await attacker.inside(() => new FrameBatch(ends.index, 256, ethernetFrame(V4, ends)));
    onTestFinished(() => flood.close());
    // The kernel keeps about 170 bytes of each packet; with its overhead its buffer is twice the limit.
    const enough = (3 * LIMITS.packetBytes.value) / 170;
    let sent = 0;
    for (; sent < enough; sent += 256) flood.send(256);
    await until(
      "the source has overrun",
      () => one.source.stats.overruns > 0,
      () => "no overrun",
    );
    // The next packet after a gap shows the gap.
    while (one.source.stats.shed === 0) {
      raw.send(V4);
      sent++;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await until(
      "all packets were read or shed",
      () => one.got.length + one.source.stats.shed >= sent,
      () => `${one.got.length} read and ${one.source.stats.shed} lost of ${sent}`,
    );
    expect(one.got.length + one.source.stats.shed).toBe(sent);
    expect(one.source.stats.overruns).toBeGreaterThan(0);
    // It continues afterwards.
    const before = one.got.length;
    raw.send({ ...V4, sourcePort: 7 });
    await one.received(before + 1);
    expect(one.got.at(-1)).toContain("203.0.113.7:7 ");
  });

  it("names the program that holds its group, and takes the group over when it is released", async () => {
    const one = await start();
    await expect(start()).rejects.toThrow(
      "Cannot listen on netlink log group 5: another program listens on it",
    );
    await one.stop();
    expect(one.source.stats.state).toBe("stopped");
    const two = await start();
    raw.send(V4);
    await two.received(1);
  });

  it("delivers what the kernel has buffered when it is stopped", async () => {
    const one = await start();
    raw.send(V4, V4);
    await one.stop();
    expect(one.got).toHaveLength(2);
  });
});

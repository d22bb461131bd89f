import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ipPacket } from "../../../test/support/ip-frame.ts";
import { packetWords } from "../../core/packet-words.ts";
import { Encoder } from "../../kernel/netlink/encoder.ts";
import { LogBatch } from "./log-batch.ts";

interface Logged {
  readonly sequence?: number;
  readonly prefix?: string;
  readonly device?: number;
  readonly etherType?: number;
  readonly payload?: Uint8Array;
}

const PACKET = ipPacket({ source: "192.0.2.1", destination: "198.51.100.2", sourcePort: 4444 });

/** In the layout of __build_packet_message, net/netfilter/nfnetlink_log.c. */
function datagram(...packets: readonly Logged[]): Buffer {
  const encoder = new Encoder();
  for (const { sequence, prefix, device, etherType = 0x0800, payload = PACKET } of packets) {
    const at = encoder.beginMessage(0x400, 0, 0);
    encoder.familyHeader(2, 5);
    encoder.raw(1, new Uint8Array([etherType >>> 8, etherType & 255, 1, 0]));
    if (prefix !== undefined) encoder.text(10, prefix);
    if (device !== undefined) encoder.u32(4, device);
    if (sequence !== undefined) encoder.u32(12, sequence);
    encoder.raw(9, payload);
    encoder.endMessage(at);
  }
  const done = encoder.beginMessage(3, 0, 0); // NLMSG_DONE, as after several packets
  encoder.plain(new Uint8Array(20));
  encoder.endMessage(done);
  return Buffer.from(encoder.bytes);
}

function reader() {
  const stats = { shed: 0, unusable: 0 };
  const asked: number[] = [];
  const batch = new LogBatch(stats, (index) => {
    asked.push(index);
    return index === 2 ? "eth0" : "";
  });
  const all = (bytes: Uint8Array): string[] => {
    batch.aim(bytes);
    const found: string[] = [];
    while (batch.next()) found.push(`${batch.packet.prefix}${packetWords(batch.packet)}`);
    return found;
  };
  return { stats, asked, batch, all };
}

describe("LogBatch", () => {
  it("reads every packet of a datagram, with its prefix and interface", () => {
    const { all, asked, stats } = reader();
    expect(all(datagram({ prefix: "SYN: ", device: 2 }, { device: 2 }, { device: 9 }, {}))).toEqual([
      "SYN: TCP SYN from 192.0.2.1:4444 to 198.51.100.2:22 on eth0",
      "TCP SYN from 192.0.2.1:4444 to 198.51.100.2:22 on eth0",
      "TCP SYN from 192.0.2.1:4444 to 198.51.100.2:22",
      "TCP SYN from 192.0.2.1:4444 to 198.51.100.2:22",
    ]);
    expect(asked).toEqual([2, 9]);
    expect(stats).toEqual({ shed: 0, unusable: 0 });
  });

  it("reuses one object for all packets", () => {
    const { batch } = reader();
    batch.aim(datagram({}, {}));
    const { packet } = batch;
    expect([
      batch.next(),
      batch.packet === packet,
      batch.next(),
      batch.packet === packet,
      batch.next(),
    ]).toEqual([true, true, true, true, false]);
  });

  it("counts lost packets by gaps in the sequence numbers, even across the wrap", () => {
    const { all, stats } = reader();
    all(datagram({ sequence: 0 }, { sequence: 1 }));
    expect(stats.shed).toBe(0);
    all(datagram({ sequence: 5 }, { sequence: 6 }));
    expect(stats.shed).toBe(3);
    const later = reader();
    later.all(datagram({ sequence: 0 }));
    later.stats.shed = 0;
    later.all(datagram({ sequence: 0xffff_ffff }));
    expect(later.stats.shed).toBe(0xffff_fffe);
    later.all(datagram({ sequence: 0 }, { sequence: 2 }));
    expect(later.stats.shed).toBe(0xffff_ffff);
  });

  it("counts a packet that is not IP, and reads on", () => {
    const { all, stats } = reader();
    const arp = { etherType: 0x0806, payload: new Uint8Array(28) };
    expect(all(datagram(arp, {}, { payload: new Uint8Array(0) }))).toHaveLength(1);
    expect(stats.unusable).toBe(2);
  });

  it("returns the right prefix, however many there are", () => {
    const { all } = reader();
    for (let round = 0; round < 2; round++) {
      const prefixes = Array.from({ length: 40 }, (_, i) => `rule ${i}: `);
      const found = all(datagram(...prefixes.map((prefix) => ({ prefix }))));
      expect(found.map((text) => text.split("TCP")[0])).toEqual(prefixes);
    }
  });

  it("never throws and always ends, for any bytes", () => {
    const whole = datagram({ prefix: "x", device: 2, sequence: 0 }, { sequence: 1 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 }),
        fc.nat(whole.length),
        (changes, length) => {
          const bytes = Buffer.from(whole.subarray(0, length));
          for (const [at, value] of changes) if (at < length) bytes[at] = value;
          expect(reader().all(bytes).length).toBeLessThanOrEqual(Math.ceil(length / 16));
        },
      ),
      { numRuns: 3000 },
    );
  });
});

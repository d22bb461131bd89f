import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ipPacket, type FrameOptions } from "../../../test/support/ip-frame.ts";
import { formatAddress } from "../../core/address.ts";
import { Packet, UNKNOWN } from "../../core/packet.ts";
import { packetWords } from "../../core/packet-words.ts";
import { readIpPacket } from "./ip-packet.ts";

const V4 = { source: "192.0.2.1", destination: "198.51.100.2" };
const V6 = { source: "2001:db8::1", destination: "2001:db8::2" };

function read(bytes: Uint8Array, etherType = 0): Packet | null {
  const packet = new Packet();
  return readIpPacket(bytes, 0, bytes.length, etherType, packet) ? packet : null;
}

function words(frame: FrameOptions, keep = Infinity): string | null {
  const packet = read(ipPacket(frame).subarray(0, keep));
  return packet === null ? null : packetWords(packet);
}

describe("readIpPacket()", () => {
  it("reads IPv4 and IPv6 with TCP, UDP, SCTP and ICMP", () => {
    expect(words({ ...V4, sourcePort: 4444 })).toBe("TCP SYN from 192.0.2.1:4444 to 198.51.100.2:22");
    expect(words({ ...V6, flags: ["ack", "syn"] })).toBe(
      "TCP SYN,ACK from [2001:db8::1]:40000 to [2001:db8::2]:22",
    );
    expect(words({ ...V4, protocol: "udp", destinationPort: 53 })).toBe(
      "UDP from 192.0.2.1:40000 to 198.51.100.2:53",
    );
    expect(words({ ...V6, protocol: "sctp" })).toBe("SCTP from [2001:db8::1]:40000 to [2001:db8::2]:22");
    expect(words({ ...V4, protocol: "icmp" })).toBe("ICMP type 8 from 192.0.2.1 to 198.51.100.2");
    expect(words({ ...V6, protocol: "icmpv6" })).toBe("ICMPv6 type 128 from 2001:db8::1 to 2001:db8::2");
    expect(words({ ...V4, flags: [] })).toBe("TCP from 192.0.2.1:40000 to 198.51.100.2:22");
  });

  it("skips IPv4 options", () => {
    for (const options of [4, 20, 40]) expect(words({ ...V4, options })).toContain("TCP SYN");
  });

  it("leaves ports and flags unknown when they were not copied", () => {
    expect(words(V4, 33)).toBe("TCP from 192.0.2.1:40000 to 198.51.100.2:22");
    expect(words(V4, 23)).toBe("TCP from 192.0.2.1 to 198.51.100.2");
    expect(words(V4, 20)).toBe("TCP from 192.0.2.1 to 198.51.100.2");
    expect(words(V4, 19)).toBeNull();
    expect(words(V6, 40)).toBe("TCP from 2001:db8::1 to 2001:db8::2");
    expect(words(V6, 39)).toBeNull();
    expect(read(ipPacket({ ...V4, protocol: "icmp" }).subarray(0, 21))?.icmpType).toBe(UNKNOWN);
  });

  it("reads no header from the padding after the packet's length", () => {
    const bytes = Buffer.from(ipPacket(V4));
    bytes.writeUInt16BE(20, 2);
    expect(read(bytes)).toMatchObject({ protocol: 6, sourcePort: UNKNOWN, flags: UNKNOWN });
    bytes.writeUInt16BE(0, 2); // as before segmentation offload
    expect(read(bytes)).toMatchObject({ destinationPort: 22, flags: 2 });
  });

  it("follows extension headers to the transport header", () => {
    const extensions = [
      { header: 0, bytes: [0, 0, 1, 4, 0, 0, 0, 0] },
      { header: 60, bytes: [0, 1, ...Array<number>(14).fill(0)] },
      { header: 43, bytes: [0, 0, 0, 0, 0, 0, 0, 0] },
      { header: 51, bytes: [0, 4, ...Array<number>(22).fill(0)] },
    ];
    expect(words({ ...V6, extensions })).toBe("TCP SYN from [2001:db8::1]:40000 to [2001:db8::2]:22");
    expect(words({ ...V6, extensions: extensions.slice(0, 2) }, 55)).toBe(
      "packet from 2001:db8::1 to 2001:db8::2",
    );
  });

  it("stops in a long chain of extension headers", () => {
    const extensions = Array.from({ length: 9 }, () => ({ header: 60, bytes: [0, 0, 0, 0, 0, 0, 0, 0] }));
    expect(words({ ...V6, extensions })).toBe("packet from 2001:db8::1 to 2001:db8::2");
    expect(words({ ...V6, extensions: extensions.slice(1) })).toContain("TCP SYN");
  });

  it("reads ports only from the first fragment", () => {
    const fragment = (offset: number) => [
      { header: 44, bytes: [0, 0, offset >>> 5, (offset << 3) & 255, 0, 0, 0, 1] },
    ];
    expect(words({ ...V4, fragmentOffset: 0x2000 })).toContain("TCP SYN from 192.0.2.1:40000");
    expect(words({ ...V4, fragmentOffset: 1 })).toBe("TCP fragment from 192.0.2.1 to 198.51.100.2");
    expect(words({ ...V6, extensions: fragment(0) })).toContain("TCP SYN from [2001:db8::1]:40000");
    expect(words({ ...V6, extensions: fragment(185) })).toBe("TCP fragment from 2001:db8::1 to 2001:db8::2");
  });

  it("skips VLAN tags when the ethertype announces them", () => {
    const tag = (type: number) => Buffer.from([0, 42, type >>> 8, type & 255]);
    const v4 = ipPacket(V4);
    expect(read(Buffer.concat([tag(0x0800), v4]), 0x8100)).toMatchObject({ destinationPort: 22 });
    expect(read(Buffer.concat([tag(0x8100), tag(0x86dd), ipPacket(V6)]), 0x88a8)).toMatchObject({ flags: 2 });
    expect(read(Buffer.concat([tag(0x8100), tag(0x8100), tag(0x0800), v4]), 0x8100)).toBeNull();
    expect(read(Buffer.concat([tag(0x0806), v4]), 0x8100)).toBeNull();
    expect(read(Buffer.from([0, 42, 8]), 0x8100)).toBeNull();
  });

  it("rejects a packet that is not IP, or of another version than the ethertype", () => {
    expect(read(Buffer.alloc(0))).toBeNull();
    expect(read(Buffer.alloc(60))).toBeNull();
    expect(read(ipPacket(V4), 0x0806)).toBeNull();
    expect(read(ipPacket(V4), 0x86dd)).toBeNull();
    expect(read(ipPacket(V6), 0x0800)).toBeNull();
    const short = Buffer.from(ipPacket(V4));
    short[0] = 0x44;
    expect(read(short)).toBeNull();
  });

  it("rejects a source that is not a host, and an IPv6 source that would read as an IPv4 address", () => {
    const v6 = (source: Buffer) => {
      const bytes = Buffer.from(ipPacket(V6));
      source.copy(bytes, 8);
      return read(bytes);
    };
    const mapped = Buffer.from("00000000000000000000ffffc0000201", "hex");
    expect(v6(mapped)).toBeNull();
    expect(v6(Buffer.alloc(16))).toBeNull();
    expect(v6(Buffer.from("ff020000000000000000000000000001", "hex"))).toBeNull();
    expect(v6(Buffer.from("00000000000000000000000000000001", "hex"))).not.toBeNull();
    for (const source of ["0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255"])
      expect(words({ ...V4, source })).toBeNull();
  });

  it("never reads outside its range, for any bytes", () => {
    const frames = [
      ipPacket(V4),
      ipPacket(V6),
      ipPacket({ ...V6, extensions: [{ header: 0, bytes: [0, 0, 0, 0, 0, 0, 0, 0] }] }),
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...frames),
        fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 6 }),
        fc.nat(90),
        fc.constantFrom(0, 0x0800, 0x86dd, 0x8100, 0x88a8),
        (frame, changes, keep, type) => {
          const bytes = Buffer.from(frame);
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          const end = Math.min(keep, bytes.length);
          // The result must not depend on the bytes after the end.
          const inZeros = Buffer.concat([Buffer.alloc(7), bytes.subarray(0, end), Buffer.alloc(100)]);
          const inOnes = Buffer.concat([Buffer.alloc(7), bytes.subarray(0, end), Buffer.alloc(100, 255)]);
          const [a, b] = [new Packet(), new Packet()];
          const read = readIpPacket(inZeros, 7, 7 + end, type, a);
          expect(readIpPacket(inOnes, 7, 7 + end, type, b)).toBe(read);
          if (!read) return;
          expect(b).toEqual(a);
          expect(a.destinationPort).toBeLessThanOrEqual(0xffff);
          formatAddress(a.source);
        },
      ),
      { numRuns: 3000 },
    );
  });
});

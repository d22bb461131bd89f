import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Packet, PROTOCOLS, TCP_FLAGS, UNKNOWN } from "../../core/packet.ts";
import { parseFlags } from "./flags.ts";
import { compileSelection, type PacketSelection } from "./selector.ts";

function packet(fields: Partial<Packet>): Packet {
  return Object.assign(new Packet(), fields);
}

/** A selection checked key by key. */
function selects(selection: PacketSelection, one: Packet): boolean {
  const { protocols = [], ports = [], flags, prefix, interfaces = [] } = selection;
  if (protocols.length > 0 && !protocols.some((protocol) => protocol === one.protocol)) return false;
  if (
    ports.length > 0 &&
    !ports.some(({ first, last }) => one.destinationPort >= first && one.destinationPort <= last)
  )
    return false;
  if (interfaces.length > 0 && !interfaces.some((name) => name === one.interface)) return false;
  if (prefix !== undefined && one.prefix.slice(0, prefix.length) !== prefix) return false;
  if (flags === undefined) return true;
  if (one.flags === UNKNOWN) return false;
  return Object.values(TCP_FLAGS).every((bit) => {
    if ((flags.set & bit) !== 0) return (one.flags & bit) !== 0;
    if ((flags.clear & bit) !== 0) return (one.flags & bit) === 0;
    return true;
  });
}

const few = <T>(...values: T[]) => fc.constantFrom(...values);
const port = few(UNKNOWN, 0, 1, 22, 80, 443, 65_535);
const range = fc
  .tuple(few(0, 1, 22, 80, 443, 65_535), few(0, 1, 22, 80, 443, 65_535))
  .map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }));
const anyPacket = fc
  .record({
    protocol: few(UNKNOWN, 1, 6, 17, 58),
    destinationPort: port,
    sourcePort: port,
    flags: fc.oneof(few<number>(UNKNOWN), fc.nat(255)),
    prefix: few("", "SYN", "SYN: ", "UDP: "),
    interface: few("", "eth0", "eth1"),
  })
  .map(packet);
const anySelection = fc.record(
  {
    protocols: fc.array(few(1, 6, 17, 58), { maxLength: 3 }),
    ports: fc.array(range, { maxLength: 3 }),
    flags: fc.tuple(fc.nat(255), fc.nat(255)).map(([set, clear]) => ({ set, clear: clear & ~set })),
    prefix: few("", "S", "SYN: ", "x"),
    interfaces: fc.array(few("eth0", "eth1"), { maxLength: 2 }),
  },
  { requiredKeys: [] },
);

describe("compileSelection()", () => {
  it("selects the same packets as a check key by key", () => {
    fc.assert(
      fc.property(
        anySelection,
        fc.array(anyPacket, { minLength: 1, maxLength: 20 }),
        (selection, packets) => {
          const selector = compileSelection(selection);
          for (const one of packets) expect(selector(one)).toBe(selects(selection, one));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("selects a SYN to a port, and not the answer to it", () => {
    const selector = compileSelection({
      protocols: [PROTOCOLS.tcp],
      ports: [{ first: 22, last: 22 }],
      flags: { set: TCP_FLAGS.syn, clear: TCP_FLAGS.ack },
    });
    const syn = { protocol: 6, destinationPort: 22, flags: TCP_FLAGS.syn };
    expect(selector(packet(syn))).toBe(true);
    expect(selector(packet({ ...syn, flags: TCP_FLAGS.syn | TCP_FLAGS.ack }))).toBe(false);
    expect(selector(packet({ ...syn, destinationPort: 23 }))).toBe(false);
    expect(selector(packet({ ...syn, protocol: 17 }))).toBe(false);
    expect(selector(packet({ ...syn, flags: UNKNOWN }))).toBe(false);
  });
});

describe("parseFlags()", () => {
  it("reads flags that must and must not be set", () => {
    expect(parseFlags(["syn"])).toEqual({ set: 2, clear: 0 });
    expect(parseFlags(["syn,!ack"])).toEqual({ set: 2, clear: 16 });
    expect(parseFlags(["SYN", " ! ack , !rst"])).toEqual({ set: 2, clear: 20 });
  });

  it("returns the error of bad flags", () => {
    const known =
      "must be some of fin, syn, rst, psh, ack, urg, ece, cwr, with ! for a flag that must not be set";
    expect(parseFlags(["sin"])).toBe(known);
    expect(parseFlags([""])).toBe(known);
    expect(parseFlags(["toString"])).toBe(known);
    expect(parseFlags(["syn", "!syn"])).toBe("must not have the same flag with and without !");
  });
});

import { type Packet, UNKNOWN } from "../../core/packet.ts";

/** Which packets a jail counts. What is left out or empty is not asked for. */
export interface PacketSelection {
  /** IANA's numbers. */
  readonly protocols?: readonly number[];
  /** Ports that packets go to. */
  readonly ports?: readonly { readonly first: number; readonly last: number }[];
  readonly flags?: FlagSelection;
  /** What the rule's text begins with. */
  readonly prefix?: string;
  /** Names of the interfaces that packets come in by. */
  readonly interfaces?: readonly string[];
}

/** Bits of TCP_FLAGS: those in `set` must be set, those in `clear` must not. */
export interface FlagSelection {
  readonly set: number;
  readonly clear: number;
}

export type PacketSelector = (packet: Packet) => boolean;

/**
 * Makes a test of a selection that costs what it asks for. What a packet does not say, as a later fragment its port,
 * meets no question about it.
 */
export function compileSelection(selection: PacketSelection): PacketSelector {
  const tests = testsOf(selection);
  const [first, second, third] = tests;
  // Most ask for two things; a call through a list costs more than both.
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  if (third === undefined) return (packet) => first(packet) && second(packet);
  return (packet) => tests.every((test) => test(packet));
}

/** The cheapest and the most telling first. */
function testsOf(selection: PacketSelection): PacketSelector[] {
  const { protocols = [], ports = [], flags, prefix = "", interfaces = [] } = selection;
  const tests: PacketSelector[] = [];
  const [protocol] = protocols;
  if (protocols.length === 1) tests.push((packet) => packet.protocol === protocol);
  else if (protocols.length > 1) tests.push((packet) => protocols.includes(packet.protocol));
  if (flags !== undefined) {
    const mask = flags.set | flags.clear;
    const { set } = flags;
    tests.push((packet) => packet.flags !== UNKNOWN && (packet.flags & mask) === set);
  }
  if (ports.length > 0) tests.push(portTest(ports));
  const [name] = interfaces;
  if (interfaces.length === 1) tests.push((packet) => packet.interface === name);
  else if (interfaces.length > 1) tests.push((packet) => interfaces.includes(packet.interface));
  if (prefix !== "") tests.push((packet) => packet.prefix.startsWith(prefix));
  return tests;
}

function portTest(ports: NonNullable<PacketSelection["ports"]>): PacketSelector {
  const [range] = ports;
  if (range !== undefined && ports.length === 1) {
    const { first, last } = range;
    return ({ destinationPort }) => destinationPort >= first && destinationPort <= last;
  }
  const wanted = new Uint8Array(1 << 16);
  for (const { first, last } of ports) wanted.fill(1, first, last + 1);
  return ({ destinationPort }) => destinationPort !== UNKNOWN && wanted[destinationPort] === 1;
}

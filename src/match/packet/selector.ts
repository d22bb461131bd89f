import { type Packet, UNKNOWN } from "../../core/packet.ts";

/** Which packets a jail counts. A key that is missing or empty selects all. */
export interface PacketSelection {
  /** IANA's numbers. */
  readonly protocols?: readonly number[];
  /** Destination ports. */
  readonly ports?: readonly { readonly first: number; readonly last: number }[];
  readonly flags?: FlagSelection;
  /** The start of the log prefix of the rule. */
  readonly prefix?: string;
  /** Names of the input interfaces. */
  readonly interfaces?: readonly string[];
}

/** Bits of TCP_FLAGS: those in `set` must be set, those in `clear` must not. */
export interface FlagSelection {
  readonly set: number;
  readonly clear: number;
}

export type PacketSelector = (packet: Packet) => boolean;

/**
 * Compiles a selection to a test that checks only what the selection says. A field that the packet does not have, such as the port
 * of a later fragment, fails a test of it.
 */
export function compileSelection(selection: PacketSelection): PacketSelector {
  const tests = testsOf(selection);
  const [first, second, third] = tests;
  // Most selections have two tests; a loop over a list costs more than both.
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  if (third === undefined) return (packet) => first(packet) && second(packet);
  return (packet) => tests.every((test) => test(packet));
}

/** Cheapest and most selective first. */
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
  const selected = new Uint8Array(1 << 16);
  for (const { first, last } of ports) selected.fill(1, first, last + 1);
  return ({ destinationPort }) => destinationPort !== UNKNOWN && selected[destinationPort] === 1;
}

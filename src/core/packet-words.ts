import { type Address, formatAddress, isV4 } from "./address.ts";
import { type Packet, PROTOCOLS, TCP_FLAGS, UNKNOWN } from "./packet.ts";

/** A packet as a phrase: 'TCP SYN from 192.0.2.1:4444 to 198.51.100.2:22 on eth0'. */
export function packetWords(packet: Packet): string {
  const from = endpoint(packet.source, packet.sourcePort);
  const to = endpoint(packet.destination, packet.destinationPort);
  const on = packet.interface === "" ? "" : ` on ${packet.interface}`;
  return `${protocolWords(packet)} from ${from} to ${to}${on}`;
}

function protocolWords({ protocol, flags, icmpType, isFragment }: Packet): string {
  const name = NAMES.get(protocol) ?? (protocol === UNKNOWN ? "packet" : `protocol ${protocol}`);
  const set = flags === UNKNOWN ? [] : FLAGS.filter(([, bit]) => (flags & bit) !== 0).map(([flag]) => flag);
  const type = icmpType === UNKNOWN ? "" : ` type ${icmpType}`;
  return `${name}${set.length > 0 ? ` ${set.join(",")}` : ""}${type}${isFragment ? " fragment" : ""}`;
}

function endpoint(host: Address, port: number): string {
  const text = formatAddress(host);
  if (port === UNKNOWN) return text;
  return isV4(host) ? `${text}:${port}` : `[${text}]:${port}`;
}

const NAMES = new Map<number, string>(
  Object.entries(PROTOCOLS).map(([name, number]) => [
    number,
    name === "icmpv6" ? "ICMPv6" : name.toUpperCase(),
  ]),
);

/** Flags that open and end a connection come first. */
const FLAGS = (["syn", "fin", "rst", "ack", "psh", "urg", "ece", "cwr"] as const).map(
  (flag) => [flag.toUpperCase(), TCP_FLAGS[flag]] as const,
);

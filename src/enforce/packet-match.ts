import { formatDuration } from "../core/duration.ts";
import type { PortRange } from "../core/packet.ts";
import type { Rate } from "../schema/values.ts";
import type { PacketMatch, Protocol, Verdict } from "./enforcer.ts";
import type { Values, WrittenTarget } from "./kind.ts";

/** `verdict`, `rate`, `burst`, `ports` and `protocols`, for enforcers that can throttle. */
export function throttleKeys(v: Values) {
  return {
    verdict: v
      .word(["drop", "reject", "throttle"])
      .default("drop")
      .meta({
        description:
          "What happens to packets of a banned address: dropped, rejected, or limited to a `rate`.",
        examples: ["reject"],
      }),
    rate: v
      .rate()
      .optional()
      .meta({
        description: "Packets that `throttle` lets through from each address; it drops the rest.",
        examples: ["10/minute"],
      }),
    burst: v
      .wholeNumber(1, 1_000_000)
      .optional()
      .meta({
        description: "Packets that `throttle` lets through at once before `rate` applies. 5 by default.",
        examples: [20],
      }),
    ...portKeys(v),
  };
}

/** `verdict`, `ports`, `protocols` and `chain`, for enforcers with rules of iptables. */
export function chainKeys(v: Values) {
  return {
    verdict: v
      .word(["drop", "reject"])
      .default("drop")
      .meta({
        description: "What happens to packets of a banned address: dropped or rejected.",
        examples: ["reject"],
      }),
    ...portKeys(v),
    chain: v
      .toolName("the name of a chain")
      .default("INPUT")
      .meta({ description: "The chain of the filter table that gets the rule.", examples: ["DOCKER-USER"] }),
  };
}

function portKeys(v: Values) {
  return {
    ports: v
      .oneOrMore(v.port(), "a port or a list of them")
      .optional()
      .meta({
        description: "Destination ports that the verdict applies to. All traffic by default.",
        examples: [[22, "80-90", "https"]],
      }),
    protocols: v
      .oneOrMore(v.word(["tcp", "udp", "sctp", "dccp"]), "tcp, udp, sctp or dccp, or a list of them")
      .optional()
      .meta({ description: "Protocols of `ports`. tcp and udp by default.", examples: [["tcp"]] }),
  };
}

/** Why keys that decide about packets are refused beside `sets`. */
export const NOT_WITH_SETS =
  "cannot be combined with sets: your own rules decide what happens to their elements";

interface MatchValues {
  readonly verdict?: Verdict["kind"];
  readonly rate?: Rate | undefined;
  readonly burst?: number | undefined;
  readonly ports?: readonly PortRange[] | undefined;
  readonly protocols?: readonly Protocol[] | undefined;
}

/** What the keys come to; keys that contradict each other are reported. */
export function packetMatch(values: MatchValues, written: WrittenTarget): PacketMatch {
  const protocols = values.protocols ?? [];
  if (protocols.length > 0 && !written.has("ports"))
    written.refuse("protocols", 'needs ports (for all of them: "1-65535")');
  return {
    verdict: verdictOf(values, written),
    ports: values.ports ?? [],
    protocols: [...new Set(protocols)],
  };
}

/** `throttle 10 packets per 1m, ports 22, 80-90 (tcp)`. */
export function describeMatch({ verdict, ports, protocols }: PacketMatch): string {
  const action =
    verdict.kind === "throttle"
      ? `throttle ${verdict.packets} packets per ${formatDuration(verdict.per)}`
      : verdict.kind;
  const of = protocols.length === 0 ? "" : ` (${protocols.join(", ")})`;
  return ports.length === 0 ? action : `${action}, ports ${ports.map(describePorts).join(", ")}${of}`;
}

/** `22` or `80-90`. */
export function describePorts({ first, last }: PortRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}

/** nftables' own default for a limit. */
const DEFAULT_BURST = 5;

function verdictOf(values: MatchValues, written: WrittenTarget): Verdict {
  const kind = values.verdict ?? "drop";
  if (kind === "throttle") {
    if (!written.has("rate")) written.report("rate is missing; throttle needs one such as 10/minute");
    const { packets, per } = values.rate ?? { packets: 1, per: 1000 };
    return { kind, packets, per, burst: values.burst ?? DEFAULT_BURST };
  }
  // A wrong verdict was reported, and may have been meant as throttle.
  if (!written.has("verdict") || written.isGood("verdict"))
    for (const key of ["rate", "burst"] as const)
      if (values[key] !== undefined) written.refuse(key, "needs verdict: throttle");
  return { kind };
}

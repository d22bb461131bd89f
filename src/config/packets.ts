import { z } from "zod";
import { PROTOCOLS } from "../core/packet.ts";
import { parseFlags } from "../match/packet/flags.ts";
import type { FlagSelection, PacketSelection } from "../match/packet/selector.ts";
import type { Section } from "../schema/section.ts";
import * as v from "../schema/values.ts";
import { isKind } from "../source/kinds.ts";
import { nflog } from "../source/nflog/kind.ts";
import type { JailParts } from "./jail-parts.ts";
import { givesOf } from "./sources.ts";

// The key `packets` of a jail.

export const packetsSchema = z
  .strictObject({
    protocol: v
      .oneOrMore(v.protocol(), "a protocol or a list of them")
      .optional()
      .meta({ description: "Protocols, by name or IANA's number.", examples: ["tcp", ["udp", 132]] }),
    ports: v
      .oneOrMore(v.port(), "a port or a list of them")
      .optional()
      .meta({ description: "Destination ports.", examples: [[22, "8000-8080"], "ssh"] }),
    flags: v
      .oneOrMore(v.text("flags of TCP"), "flags of TCP such as syn,!ack")
      .optional()
      .meta({
        description: "TCP flags that must be set, or with `!` must not be set.",
        examples: ["syn,!ack", ["syn"]],
      }),
    prefix: v
      .text("a text")
      .optional()
      .meta({
        description: "The beginning of the prefix of the rule that logged them.",
        examples: ["flood: "],
      }),
    interface: v
      .oneOrMore(v.interfaceName(), "the name of an interface or a list of them")
      .optional()
      .meta({ description: "Input interfaces.", examples: ["eth0"] }),
    state: v
      .word(["new"])
      .optional()
      .meta({
        description:
          "With `offload: kernel`: only the first packet of each connection, by connection tracking.",
        examples: ["new"],
      }),
  })
  .meta({
    description:
      "Which packets a jail counts: packets of an nflog source (without any key, all of them), or incoming packets (`offload: kernel`).",
  });

export const packetKeys = {
  packets: packetsSchema.optional().meta({
    description:
      "For sources of type nflog and with `offload: kernel`, instead of a filter: which packets count (see Packets).",
    examples: [{ protocol: "tcp", ports: [22], flags: "syn,!ack" }],
  }),
};

/** Which packets a jail counts; null for a jail that reads lines. All sources of a jail give the same. */
export function selectionOf({ section, given, known }: JailParts): PacketSelection | null {
  const names = given.sources ?? [];
  const giving = (what: string): readonly string[] =>
    names.filter((name) => givesOf(known.sources.get(name)) === what);
  const packets = giving("packets");
  const lines = giving("lines");
  if (packets.length === 0) {
    if (!section.has("packets")) return null;
    if (lines.length > 0)
      section.refuse(`packets needs sources of type nflog; ${lines.join(", ")} gives lines`, "packets");
    return {};
  }
  if (lines.length > 0) {
    const fact = `sources must give either packets (${packets.join(", ")}) or lines (${lines.join(", ")}), not both`;
    section.refuseValue(fact, "sources");
  }
  section.refuseKeys(LINE_KEYS, `is for lines; ${packets.join(", ")} gives packets`);
  const selection = writtenSelection(given.packets, section);
  if (given.packets?.state !== undefined) section.refuse("packets.state needs offload: kernel", "packets");
  const installs = packets.some((name) => {
    const source = known.sources.get(name);
    return source !== null && source !== undefined && isKind(source, nflog) && source.install === true;
  });
  if (installs) checkInstallable(selection, section);
  return selection;
}

/** Which packets the kernel counts for a jail with `offload: kernel`. */
export function offloadedSelection({ section, given }: JailParts): PacketSelection {
  section.refuseKeys(LINE_KEYS, "is for lines; the kernel counts packets");
  const selection = writtenSelection(given.packets, section);
  if (!section.failed && selectsAll(selection))
    section.refuse("packets must name a protocol, ports or flags where the kernel counts", "packets");
  if (selection.prefix !== undefined)
    section.refuse("packets.prefix is of rules that log; the kernel counts without such rules", "packets");
  return selection;
}

/** Keys for lines only. In `defaults` they do no harm. */
const LINE_KEYS = [
  "filter",
  "failregex",
  "ignoreregex",
  "goodregex",
  "usedns",
  "on_good",
  "forgive",
  "trust_for",
];

function writtenSelection(
  written: Partial<z.output<typeof packetsSchema>> = {},
  section: Section,
): PacketSelection {
  const { protocol, ports, flags, prefix, interface: interfaces } = written;
  const inside = section.inside("packets");
  const refuse = (key: string, fact: string): void =>
    inside.has(key)
      ? inside.refuseValue(`${key} ${fact}`, key)
      : section.refuse(`packets.${key} ${fact}`, "packets");
  let selected: FlagSelection | undefined;
  if (flags !== undefined) {
    const parsed = parseFlags(flags);
    if (typeof parsed === "string") refuse("flags", parsed);
    else selected = parsed;
    if (protocol?.includes(PROTOCOLS.tcp) === false) refuse("flags", "needs protocol: tcp");
  }
  if (ports !== undefined && protocol?.some((number) => !WITH_PORTS.has(number)) === true)
    refuse("ports", "needs protocols that have ports: tcp, udp, sctp, dccp or udplite");
  return {
    ...(protocol === undefined ? {} : { protocols: protocol }),
    ...(ports === undefined ? {} : { ports }),
    ...(selected === undefined ? {} : { flags: selected }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(interfaces === undefined ? {} : { interfaces }),
  };
}

/** The rules are made from the selection: without one, they would log every packet. */
function checkInstallable(selection: PacketSelection, section: Section): void {
  if (selectsAll(selection))
    section.refuse(
      "packets must name a protocol, ports or flags where the source has install: true",
      "packets",
    );
  if (selection.prefix !== undefined)
    section.refuse("packets.prefix is for rules of your own; the source has install: true", "packets");
}

function selectsAll({ protocols, ports, flags }: PacketSelection): boolean {
  return protocols === undefined && ports === undefined && flags === undefined;
}

const WITH_PORTS: ReadonlySet<number> = new Set([
  PROTOCOLS.tcp,
  PROTOCOLS.udp,
  PROTOCOLS.sctp,
  PROTOCOLS.dccp,
  PROTOCOLS.udplite,
]);

import type { z } from "zod";
import { PROTOCOLS } from "../core/packet.ts";
import { parseFlags } from "../match/packet/flags.ts";
import type { FlagSelection, PacketSelection } from "../match/packet/selector.ts";
import type { packetsSchema } from "./jail-schema.ts";
import { entryOf } from "./read-object.ts";
import type { Known, Section } from "./section.ts";

/** Which packets a jail on sources of packets counts; null for a jail on sources of lines. A jail has one kind of sources. */
export function buildSelection(jail: Section, defaults: Section, known: Known): PacketSelection | null {
  const { report, what, at } = jail.where;
  if (jail.written.offload === "kernel") return offloadedSelection(jail, defaults);
  const sources = jail.written.sources ?? defaults.written.sources ?? [];
  const packets = sources.filter((name) => known.gives.get(name) === "packets");
  const lines = sources.filter((name) => known.gives.get(name) === "lines");
  const own = entryOf(jail.tree, "packets");
  if (packets.length === 0) {
    if (own !== null && lines.length > 0)
      report.error(
        what,
        `packets goes with sources of type nflog; ${lines.join(", ")} gives lines`,
        own.keyAt,
      );
    return own === null ? null : {};
  }
  if (lines.length > 0) {
    const fact = `sources must give either packets (${packets.join(", ")}) or lines (${lines.join(", ")}), not both`;
    report.error(what, fact, entryOf(jail.tree, "sources")?.value.at ?? at);
  }
  for (const key of LINE_KEYS) {
    const entry = entryOf(jail.tree, key);
    if (entry !== null)
      report.error(what, `${key} is for lines; ${packets.join(", ")} gives packets`, entry.keyAt);
  }
  const written = jail.written.packets ?? defaults.written.packets;
  const selection = written === undefined ? {} : selectionOf(written, jail);
  if (written?.state !== undefined)
    report.error(what, "packets.state goes with offload: kernel", own?.keyAt ?? at);
  if (packets.some((name) => known.installed.has(name))) checkInstallable(selection, jail);
  return selection;
}

/** Which packets the kernel counts by itself. */
function offloadedSelection(jail: Section, defaults: Section): PacketSelection {
  const { report, what } = jail.where;
  for (const key of LINE_KEYS) {
    const entry = entryOf(jail.tree, key);
    if (entry !== null) report.error(what, `${key} is for lines; the kernel counts packets`, entry.keyAt);
  }
  const written = jail.written.packets ?? defaults.written.packets;
  const selection = written === undefined ? {} : selectionOf(written, jail);
  const at = entryOf(jail.tree, "packets")?.keyAt ?? jail.where.at;
  if (
    !jail.failed &&
    selection.protocols === undefined &&
    selection.ports === undefined &&
    selection.flags === undefined
  )
    report.error(what, "packets must say a protocol, ports or flags where the kernel counts", at);
  if (selection.prefix !== undefined)
    report.error(what, "packets.prefix is the text of rules that log; the kernel counts without them", at);
  return selection;
}

/** What has a meaning for lines only. In the defaults for all it disturbs nobody. */
const LINE_KEYS = [
  "filter",
  "failregex",
  "ignoreregex",
  "goodregex",
  "usedns",
  "on_good",
  "trust_for",
] as const;

function selectionOf(
  { protocol, ports, flags, prefix, interface: interfaces }: z.output<typeof packetsSchema>,
  { tree, where }: Section,
): PacketSelection {
  const list = entryOf(tree, "packets");
  const refuse = (key: string, fact: string): void => {
    const at = entryOf(list?.value ?? null, key)?.value.at ?? list?.keyAt ?? where.at;
    where.report.error(where.what, `packets.${key} ${fact}`, at);
  };
  let selected: FlagSelection | undefined;
  if (flags !== undefined) {
    const parsed = parseFlags(flags);
    if (typeof parsed === "string") refuse("flags", parsed);
    else selected = parsed;
    if (protocol?.includes(PROTOCOLS.tcp) === false) refuse("flags", "goes with protocol: tcp");
  }
  if (ports !== undefined && protocol?.some((number) => !WITH_PORTS.has(number)) === true)
    refuse("ports", "goes with protocols that have ports: tcp, udp, sctp, dccp or udplite");
  return {
    ...(protocol === undefined ? {} : { protocols: protocol }),
    ...(ports === undefined ? {} : { ports }),
    ...(selected === undefined ? {} : { flags: selected }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(interfaces === undefined ? {} : { interfaces }),
  };
}

/** Rules are made of the selection: without one they would log each packet of everybody. */
function checkInstallable(
  { protocols, ports, flags, prefix }: PacketSelection,
  { tree, where }: Section,
): void {
  const at = entryOf(tree, "packets")?.keyAt ?? where.at;
  if (protocols === undefined && ports === undefined && flags === undefined)
    where.report.error(
      where.what,
      "packets must say a protocol, ports or flags where the source has install: true",
      at,
    );
  if (prefix !== undefined)
    where.report.error(
      where.what,
      "packets.prefix is for rules of your own; the source has install: true",
      at,
    );
}

const WITH_PORTS: ReadonlySet<number> = new Set([
  PROTOCOLS.tcp,
  PROTOCOLS.udp,
  PROTOCOLS.sctp,
  PROTOCOLS.dccp,
  PROTOCOLS.udplite,
]);

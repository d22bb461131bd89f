import { type Address, address } from "../core/address.ts";
import type { Packet, PacketBatch, PacketSink } from "../core/packet.ts";
import { packetWords } from "../core/packet-words.ts";
import { LIMITS } from "../core/limits.ts";
import { type Instant, SECOND } from "../core/time.ts";
import type { PacketSelector } from "../match/packet/selector.ts";
import type { BanCap } from "./ban-cap.ts";
import { bannedSince } from "../book/banned-since.ts";
import { PacketMeter } from "./packet-meter.ts";
import type { PipelineParts, RunningJail } from "./pipeline.ts";
import { isBanRefused } from "./refusals.ts";

export type PacketParts = PipelineParts & {
  readonly cap: BanCap;
};

/** Which packets of one source count, and for which jails. */
export interface PacketWiring {
  readonly jails: readonly { readonly running: RunningJail; readonly selects: PacketSelector }[];
}

/**
 * The flow of one source of packets to the book:
 *
 *      batch ─► packet ─► jails that select it ─► banned already? ─► jail.decide ─► book.ban
 *
 * A packet counts at the time at which it is read: the kernel delivers it within some ten milliseconds. A packet from a banned address, or that
 * no jail selects, makes no object.
 */
export class PacketFlow {
  readonly meter = new PacketMeter();
  readonly #parts: PacketParts;
  #wiring: PacketWiring;
  #noting = { since: 0, left: 0 };

  constructor(wiring: PacketWiring, parts: PacketParts) {
    this.#wiring = wiring;
    this.#parts = parts;
  }

  /** Takes effect with the next batch. */
  rewire(wiring: PacketWiring): void {
    this.#wiring = wiring;
  }

  readonly sink: PacketSink = (batch: PacketBatch): void => {
    const now = this.#parts.clock.now();
    const { jails } = this.#wiring;
    const { packet } = batch;
    let packets = 0;
    while (batch.next()) {
      packets++;
      for (const { running, selects } of jails) if (selects(packet)) this.#accuse(running, packet, now);
    }
    this.meter.count(packets, batch.bytes);
  };

  #accuse({ jail, lastTargets }: RunningJail, packet: Packet, now: Instant): void {
    const { book, evidence, refused } = this.#parts;
    const since = bannedSince(book, packet.source, lastTargets, now);
    if (since >= 0) {
      if (isBanRefused(refused, { book, targets: lastTargets, now }, packet.source)) {
        jail.passUnenforced({ address: packet.source, at: null, count: 1 }, now);
        return;
      }
      // Rules may log a packet before they drop it, so a packet from a banned address does not mean that the ban failed.
      jail.passOver(packet.source, null, since, 1, now);
      return;
    }
    const { w0, w1, w2, w3 } = packet.source;
    const source = address(w0, w1, w2, w3);
    const { cap } = this.#parts;
    // The packet is not counted, so that the next one reaches the threshold again.
    if (cap.isReached(now) && wouldBan(jail, source, now)) return cap.putOffOne(jail.options.name);
    const decision = jail.decide({ address: source, at: null, count: 1 }, null, now);
    if (decision.kind === "ignored") return;
    const isNoted = this.#mayNote(now);
    if (isNoted) evidence.remember(jail.networkOf(source), packetWords(packet));
    else evidence.pass();
    if (decision.kind === "counted") return;
    cap.spend(now);
    if (isNoted) evidence.keep(jail.prefixOf(source), jail.options.maxretry);
    book.ban(decision.ban);
  }

  /** Bounds the packets that are kept as evidence: formatting one costs more than all else, and a flood overwrites it within moments. */
  #mayNote(now: Instant): boolean {
    if (Math.abs(now - this.#noting.since) >= SECOND)
      this.#noting = { since: now, left: LIMITS.packetEvidence.value };
    return --this.#noting.left >= 0;
  }
}

function wouldBan(jail: RunningJail["jail"], source: Address, now: Instant): boolean {
  const first = jail.options.steps[0]?.maxretry ?? 1;
  return jail.ignoring(source, now) === null && jail.seen(source, now) + 1 >= first;
}

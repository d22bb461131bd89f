import type { LineBatch } from "../core/batch.ts";
import type { OrderBatch } from "../core/order.ts";
import type { PacketBatch } from "../core/packet.ts";

/**
 * Where lines or packets come from. `run` hands batches to the sink until the signal aborts (then it resolves), its input ends
 * (resolves too) or something breaks (rejects with a sentence). It does not retry: the supervisor does, by calling
 * `run` again on the same object. It never keeps the event loop for more than about 10 ms at a stretch.
 */
export interface SourceOf<Batch> {
  readonly name: string;
  readonly kind: SourceKind;
  readonly stats: SourceStats;
  run(sink: (batch: Batch) => void, signal: AbortSignal): Promise<void>;
  /** How far it has read, as JSON that the same kind of source understands after a restart; null when it has no place. */
  position(): SourcePosition | null;
}

export type Source = SourceOf<LineBatch>;

export type PacketSource = SourceOf<PacketBatch>;

export type OrderSource = SourceOf<OrderBatch>;

export type SourceKind = "file" | "syslog" | "journal" | "kmsg" | "nflog" | "zmq" | "command" | "stdin";

export type SourcePosition = Readonly<Record<string, unknown>>;

/** Plain counters, owned by the source and read by status and metrics. */
export interface SourceStats {
  /** Bytes handed to the sink. */
  bytes: number;
  /** Batches handed to the sink. */
  batches: number;
  /** Lines that were longer than the bound: the rest was cut off. */
  cut: number;
  /** Bytes cut off or skipped, never seen by the matcher. */
  shedBytes: number;
  /** Datagrams, lines or packets that were dropped whole, by us or, where it tells, by the kernel. */
  shed: number;
  /** How often the kernel said that its buffer was full. */
  overruns: number;
  /** Packets that are no IP packets, or from no host. */
  unusable: number;
  /** Connections that were closed for want of room, or since their sender kept to no rule. */
  turnedAway: number;
  /** Bytes known to wait unread: the rest of a file. */
  waiting: number;
  /** Those among them that newer ones have overtaken: they are read when there is nothing newer. */
  later: number;
  /** How often it left something for later, because more came than could be read. */
  leaps: number;
  /** What it is doing or waiting for, as a phrase: 'follows 3 files', 'waits for /var/log/auth.log'. */
  state: string;
}

export function newSourceStats(): SourceStats {
  return {
    bytes: 0,
    batches: 0,
    cut: 0,
    shedBytes: 0,
    shed: 0,
    overruns: 0,
    unusable: 0,
    turnedAway: 0,
    waiting: 0,
    later: 0,
    leaps: 0,
    state: "not started",
  };
}

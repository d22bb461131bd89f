import type { LineBatch } from "../core/batch.ts";
import type { OrderBatch } from "../core/order.ts";
import type { PacketBatch } from "../core/packet.ts";
import { counter, type CountsOf, declareMetrics, gauge } from "../core/metrics.ts";

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

/** One source's counters; `status` and /metrics read them. */
export const SOURCE_METRICS = declareMetrics(
  { at: "sources.*", label: "source" },
  {
    bytes: counter("stoplog_read_bytes_total", "Bytes handed to the matcher."),
    batches: counter("stoplog_read_batches_total", "Batches of lines, packets or orders handed on."),
    cut: counter("stoplog_cut_lines_total", "Lines longer than max_line: the rest of each was cut off."),
    shedBytes: counter("stoplog_shed_bytes_total", "Bytes cut off or skipped: the matcher never saw them."),
    shed: counter(
      "stoplog_shed_lines_total",
      "Lines, datagrams or packets dropped whole, by Stoplog or, where it says so, by the kernel.",
    ),
    overruns: counter("stoplog_overruns_total", "Times the kernel said that its packet buffer was full."),
    unusable: counter("stoplog_unusable_packets_total", "Logged packets that are not IP or not from a host."),
    turnedAway: counter(
      "stoplog_source_connections_refused_total",
      "Connections closed for lack of room, or because the sender broke the protocol.",
    ),
    waitingBytes: gauge("stoplog_waiting_bytes", "Bytes known to wait unread: the rest of a file."),
    laterBytes: gauge("stoplog_later_bytes", "Waiting bytes that newer input has overtaken."),
    leaps: counter("stoplog_leaps_total", "Times a source left input for later to read the newest first."),
  },
);

export type SourceStats = CountsOf<typeof SOURCE_METRICS> & {
  /** What it is doing or waiting for, as a phrase: 'follows 3 files', 'waits for /var/log/auth.log'. */
  state: string;
};

export function newSourceStats(): SourceStats {
  return { ...SOURCE_METRICS.zero(), state: "not started" };
}

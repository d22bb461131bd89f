import type { LineBatch } from "../core/batch.ts";
import type { Instant } from "../core/time.ts";
import type { Order, OrderBatch } from "../core/order.ts";
import type { PacketBatch } from "../core/packet.ts";
import { counter, type CountsOf, declareMetrics, gauge } from "../core/metrics.ts";

/**
 * A source of lines, packets or orders. `run` hands batches to the sink. It resolves when the signal aborts or the input ends,
 * and rejects with a sentence when it fails. It does not retry: the supervisor calls `run` again on the same object.
 * It blocks the event loop for about 10 ms at most.
 */
export interface SourceOf<Batch> {
  readonly name: string;
  /** The name of its kind. */
  readonly kind: string;
  readonly stats: SourceStats;
  run(sink: (batch: Batch) => void, signal: AbortSignal): Promise<void>;
  /** The read position, as JSON for a source of the same kind after a restart; null when the source has none. */
  position(): SourcePosition | null;
  /** What it is to read and cannot while it runs, as a phrase; null when there is nothing of the kind. */
  trouble?(now: Instant): string | null;
}

export type Source = SourceOf<LineBatch>;

export type PacketSource = SourceOf<PacketBatch>;

export type OrderSource = SourceOf<OrderBatch>;

/** What a source of orders works with. */
export interface OrderParts {
  readonly readOrder: ReadOrder;
  /** Says a sentence in the log. */
  readonly say: (sentence: string) => void;
}

/** Reads one order in JSON; a string says in a phrase what is wrong with it. */
export type ReadOrder = (text: string) => Order | string;

export type SourcePosition = Readonly<Record<string, unknown>>;

/** The counters of one source, shown by `status` and /metrics. */
export const SOURCE_METRICS = declareMetrics(
  { at: "sources.*", label: "source" },
  {
    bytes: counter("stoplog_read_bytes_total", "Bytes delivered to the matcher."),
    batches: counter("stoplog_read_batches_total", "Batches of lines, packets or orders delivered."),
    cut: counter("stoplog_cut_lines_total", "Lines longer than max_line, truncated."),
    shedBytes: counter("stoplog_shed_bytes_total", "Bytes truncated or skipped: the matcher never saw them."),
    shed: counter(
      "stoplog_shed_lines_total",
      "Lines, datagrams or packets dropped by Stoplog, or by the kernel as far as it reports them.",
    ),
    overruns: counter("stoplog_overruns_total", "Times the kernel reported a full packet buffer."),
    unusable: counter(
      "stoplog_unusable_packets_total",
      "Logged packets that are not IP, or whose source is not a host address.",
    ),
    turnedAway: counter(
      "stoplog_source_connections_refused_total",
      "Connections closed because there were too many, or because the sender broke the protocol.",
    ),
    waitingBytes: gauge(
      "stoplog_waiting_bytes",
      "Bytes not yet read: the rest of a file, or messages that were received and not yet delivered.",
    ),
    laterBytes: gauge(
      "stoplog_later_bytes",
      "Waiting bytes that were skipped for newer input and will be read later.",
    ),
    lostFiles: counter(
      "stoplog_lost_files_total",
      "Rotated files that were not found again, or skipped because there was too much: their unread lines are lost.",
    ),
    leaps: counter(
      "stoplog_leaps_total",
      "Times a source skipped to the newest input and left older input for later.",
    ),
  },
);

export type SourceStats = CountsOf<typeof SOURCE_METRICS> & {
  /** What the source is doing or waiting for, as a phrase: 'follows 3 files', 'waits for /var/log/auth.log'. */
  state: string;
};

export function newSourceStats(): SourceStats {
  return { ...SOURCE_METRICS.zero(), state: "not started" };
}

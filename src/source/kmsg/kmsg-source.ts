import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { LineSink } from "../../core/batch.ts";
import { cannot, StoplogError } from "../../core/errors.ts";
import type { Instant } from "../../core/time.ts";
import { nativeFault } from "../../kernel/native/libc.ts";
import { type Watch, watchFault, watchReadable } from "../../kernel/native/poll.ts";
import { DEFAULT_MAX_LINE } from "../line-splitter.ts";
import { newSourceStats, type Source, type SourcePosition, type SourceStats } from "../source.ts";
import { openRecordDevice, type RecordDevice } from "./device.ts";
import { KernelClock } from "./kernel-clock.ts";
import { DEVICE, type KmsgOptions } from "./kind.ts";
import { isFromKernel, KmsgRecord } from "./record.ts";
import { RecordLineWriter } from "./record-line.ts";

/**
 * Reads the kernel's messages from its ring buffer, without a syslog daemon.
 *
 *      /dev/kmsg ─ one record per read ─► sequence: read before? any lost? ─► line ─► chunk ─► sink
 *
 * The kernel overwrites old records whether they were read or not; the source counts lost records by the gap in the sequence
 * numbers. Records that programs wrote to the ring are skipped.
 */
export class KmsgSource implements Source {
  readonly kind = "kmsg";
  readonly name: string;
  readonly stats = newSourceStats();
  readonly #path: string;
  readonly #maxLine: number;
  readonly #open: (path: string) => RecordDevice;
  readonly #boot = bootId();
  readonly #record = new KmsgRecord();
  readonly #clock = new KernelClock();
  readonly #writer: RecordLineWriter;
  /** Sequence number of the next record to deliver; null to start with the next new record. */
  #next: number | null;

  constructor(
    name: string,
    options: KmsgOptions,
    position: SourcePosition | null = null,
    open: (path: string) => RecordDevice = openRecordDevice,
  ) {
    this.name = name;
    this.#path = options.path ?? DEVICE;
    this.#maxLine = options.maxLine ?? DEFAULT_MAX_LINE;
    this.#open = open;
    this.#writer = new RecordLineWriter(hostname(), this.#maxLine);
    this.#next = nextAfter(position, this.#boot);
  }

  async run(sink: LineSink, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    try {
      const fault = nativeFault() ?? (await watchFault());
      if (fault !== null) throw new StoplogError(fault.replace(/^C/, "c"));
      if (signal.aborted) return;
      await this.#follow(sink, signal);
    } catch (thrown) {
      throw cannot(`read ${this.#path}`, thrown);
    } finally {
      this.stats.state = "stopped";
    }
  }

  /** The boot ID and the sequence number of the next record: the kernel counts records from boot. */
  position(): SourcePosition | null {
    return this.#next === null ? null : { boot: this.#boot, next: this.#next };
  }

  async #follow(sink: LineSink, signal: AbortSignal): Promise<void> {
    const device = this.#open(this.#path);
    const chunk = new Chunk(sink, this.stats, this.#maxLine);
    const reading = { device, chunk, idle: false, backlog: true, skipping: this.#next === null };
    let watch: Watch | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        signal.addEventListener("abort", () => resolve(), { once: true });
        const readSome = (): void => {
          try {
            this.#read(reading);
          } catch (thrown) {
            reject(thrown as Error);
          }
        };
        this.stats.state = `catches up with ${this.#path}`;
        watch = watchReadable(device.fd, readSome);
        readSome();
      });
    } finally {
      watch?.close();
      device.close();
    }
  }

  /** Reads until nothing waits, for STRETCH at most. The watch calls again when records remain. */
  #read(reading: Reading): void {
    const { device, chunk } = reading;
    const now = Date.now();
    const started = performance.now();
    const monotonic = Number(process.hrtime.bigint() / 1000n);
    let isFirst = reading.idle;
    reading.idle = false;
    try {
      for (let n = 1; (n & 63) !== 0 || performance.now() - started < STRETCH; n++) {
        const length = device.read(BUFFER);
        if (length === null) {
          reading.idle = true;
          break;
        }
        if (length === "overrun" || !this.#record.read(BUFFER, length)) continue;
        if (isFirst) this.#clock.calibrate(this.#record.micros, monotonic);
        isFirst = false;
        this.#take(reading, now, monotonic);
      }
    } finally {
      chunk.deliver(reading.backlog);
    }
    if (!reading.idle || !reading.backlog) return;
    reading.backlog = reading.skipping = false;
    this.stats.state = `reads ${this.#path}`;
  }

  #take({ chunk, backlog, skipping }: Reading, now: Instant, monotonic: number): void {
    const record = this.#record;
    const expected = this.#next;
    if (expected !== null && record.sequence < expected) return;
    if (!skipping && expected !== null) this.stats.shed += record.sequence - expected;
    this.#next = record.sequence + 1;
    if (skipping || !isFromKernel(record)) return;
    const { bytes, end } = chunk.room(this.#writer.room(record.end - record.start), backlog);
    const when = this.#clock.at(record.micros, now, monotonic);
    const length = this.#writer.write(bytes, end, when, BUFFER, record);
    chunk.end += Math.min(length, this.#maxLine) + 1;
    if (length <= this.#maxLine) return;
    this.stats.cut++;
    this.stats.shedBytes += length - this.#maxLine;
  }
}

interface Reading {
  readonly device: RecordDevice;
  readonly chunk: Chunk;
  /** True when nothing waited after the last read: the next record was written just now. */
  idle: boolean;
  /** True until nothing waits for the first time: these records are older than the run. */
  backlog: boolean;
  /** True while old records are skipped, because the source has no saved position. */
  skipping: boolean;
}

/** The largest record of any kernel version (CONSOLE_EXT_LOG_MAX, linux/printk.h). Shared by all sources: a read does not wait. */
const BUFFER = Buffer.allocUnsafeSlow(8192);
/** In ms. */
const STRETCH = 5;

/** Collects lines until the end of the read, or until it is full. */
class Chunk {
  readonly bytes: Buffer;
  end = 0;
  readonly #sink: LineSink;
  readonly #stats: SourceStats;

  constructor(sink: LineSink, stats: SourceStats, maxLine: number) {
    this.#sink = sink;
    this.#stats = stats;
    this.bytes = Buffer.allocUnsafeSlow(Math.max(1 << 16, (maxLine + 1) * 2));
  }

  /** Makes room for `length` bytes; returns the chunk. */
  room(length: number, backlog: boolean): this {
    if (this.end + length > this.bytes.length) this.deliver(backlog);
    return this;
  }

  deliver(backlog: boolean): void {
    const { bytes, end } = this;
    if (end === 0) return;
    this.end = 0;
    this.#stats.bytes += end;
    this.#stats.batches++;
    this.#sink({ bytes, start: 0, end, backlog });
  }
}

/** Identifies the boot. Empty when the kernel does not provide an ID; then no position is restored. */
function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    return "";
  }
}

/** The sequence number at which to continue. After a reboot: 0, since all records of this boot are new. */
function nextAfter(position: SourcePosition | null, boot: string): number | null {
  if (boot === "" || position === null || typeof position["boot"] !== "string") return null;
  if (position["boot"] !== boot) return 0;
  const next = position["next"];
  return typeof next === "number" && Number.isSafeInteger(next) && next >= 0 ? next : null;
}

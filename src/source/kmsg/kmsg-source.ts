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
 * The kernel's own messages, read where the kernel keeps them, without syslog in between.
 *
 *      /dev/kmsg ─ a record with each read ─► sequence: read before? any lost? ─► line ─► chunk ─► sink
 *
 * The kernel's ring waits for nobody: what was overwritten before it was read is counted by the gap it leaves. Records that
 * programs have written into the ring are passed over.
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
  /** The sequence number of the record that is delivered next; null for the first that comes from now on. */
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

  /** The sequence number of the next record, which counts from the boot that is named. */
  position(): SourcePosition | null {
    return this.#next === null ? null : { boot: this.#boot, next: this.#next };
  }

  async #follow(sink: LineSink, signal: AbortSignal): Promise<void> {
    const device = this.#open(this.#path);
    const chunk = new Chunk(sink, this.stats, this.#maxLine);
    const reading = { device, chunk, idle: false, backlog: true, passing: this.#next === null };
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

  /** Reads until nothing waits, for some milliseconds at most: the watch calls again when something is left. */
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
    reading.backlog = reading.passing = false;
    this.stats.state = `reads ${this.#path}`;
  }

  #take({ chunk, backlog, passing }: Reading, now: Instant, monotonic: number): void {
    const record = this.#record;
    const expected = this.#next;
    if (expected !== null && record.sequence < expected) return;
    if (!passing && expected !== null) this.stats.shed += record.sequence - expected;
    this.#next = record.sequence + 1;
    if (passing || !isFromKernel(record)) return;
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
  /** Nothing waited when it was left: what comes next has just been written. */
  idle: boolean;
  /** True until nothing waited for the first time: these records were there before. */
  backlog: boolean;
  /** True while they are nobody's affair, since the source never ran before. */
  passing: boolean;
}

/** The longest record any kernel has made (CONSOLE_EXT_LOG_MAX of linux/printk.h); one buffer serves all, for the moment of a read. */
const BUFFER = Buffer.allocUnsafeSlow(8192);
/** In ms. */
const STRETCH = 5;

/** Lines that wait for the end of the read, or until no more fit. */
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

  /** Itself, with room for so many bytes. */
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

/** Tells one boot from another; a kernel without it never takes up where it was left. */
function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    return "";
  }
}

/** After a restart of the machine, all of this boot's records are new. */
function nextAfter(position: SourcePosition | null, boot: string): number | null {
  if (boot === "" || position === null || typeof position["boot"] !== "string") return null;
  if (position["boot"] !== boot) return 0;
  const next = position["next"];
  return typeof next === "number" && Number.isSafeInteger(next) && next >= 0 ? next : null;
}

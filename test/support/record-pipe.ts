import { closeSync, constants, writeSync } from "node:fs";
import { loadNative } from "../../src/kernel/native/libc.ts";

/** Stands in for /dev/kmsg: a pipe in packet mode (O_DIRECT, pipe(2)), so that each read returns one write. */
export class RecordPipe {
  /** Can be opened for reading, in this process only. */
  readonly path: string;
  readonly #read: number;
  readonly #write: number;
  #sequence: number;

  constructor(firstSequence = 1) {
    const pipe2 = loadNative().library.func("pipe2", "int", ["void *", "int"]);
    const ends = new Int32Array(2);
    pipe2(new Uint8Array(ends.buffer), constants.O_NONBLOCK | constants.O_DIRECT);
    [this.#read, this.#write] = ends as unknown as [number, number];
    this.path = `/proc/self/fd/${this.#read}`;
    this.#sequence = firstSequence;
  }

  /** Writes a kernel record with this text, escaped as the kernel does. Default time: now. */
  write(text: Buffer, { priority = 4, sequence = this.#sequence, micros = monotonic() } = {}): Promise<void> {
    this.#sequence = sequence + 1;
    const escaped = [...text].map((byte) =>
      byte < 32 || byte >= 127 || byte === 92
        ? `\\x${byte.toString(16).padStart(2, "0")}`
        : String.fromCharCode(byte),
    );
    return this.raw(`${priority},${sequence},${micros},-;${escaped.join("")}\n`);
  }

  async raw(record: string): Promise<void> {
    for (;;) {
      try {
        writeSync(this.#write, record, null, "latin1");
        return;
      } catch {
        await new Promise((resolve) => setImmediate(resolve)); // full
      }
    }
  }

  close(): void {
    closeSync(this.#read);
    closeSync(this.#write);
  }
}

/** Microseconds since boot: the unit of the kernel's record timestamps. */
export function monotonic(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

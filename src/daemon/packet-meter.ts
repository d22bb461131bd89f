import type { Instant } from "../core/time.ts";

/** Packets and bytes of a source, under the names of LineMeter: a packet counts as a line. */
export class PacketMeter {
  #packets = 0;
  #bytes = 0;
  #last = { packets: 0, bytes: 0, at: 0 };
  #linesPerSecond = 0;
  #bytesPerSecond = 0;

  get lines(): number {
    return this.#packets;
  }

  get linesPerSecond(): number {
    return this.#linesPerSecond;
  }

  get bytesPerSecond(): number {
    return this.#bytesPerSecond;
  }

  count(packets: number, bytes: number): void {
    this.#packets += packets;
    this.#bytes += bytes;
  }

  /** Sets the rates to those since the last call; called once a second. */
  tick(now: Instant): void {
    const seconds = (now - this.#last.at) / 1000;
    if (this.#last.at > 0 && seconds > 0) {
      this.#linesPerSecond = (this.#packets - this.#last.packets) / seconds;
      this.#bytesPerSecond = (this.#bytes - this.#last.bytes) / seconds;
    }
    this.#last = { packets: this.#packets, bytes: this.#bytes, at: now };
  }
}

import { cannot, StoplogError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import type { PacketBatch, PacketSink } from "../../core/packet.ts";
import { nativeFault } from "../../kernel/native/libc.ts";
import { type Watch, watchFault, watchReadable } from "../../kernel/native/poll.ts";
import {
  type NetlinkSocket,
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  openNetlink,
} from "../../kernel/netlink/socket.ts";
import { newSourceStats, type PacketSource } from "../source.ts";
import type { NflogOptions } from "./kind.ts";
import { LinkNames } from "./link-names.ts";
import { LogBatch } from "./log-batch.ts";
import { bindLogGroup, unbindLogGroup } from "./log-group.ts";

/**
 * Reads packets that firewall rules log to a netlink group, without log lines in between.
 *
 *      rule: log group 5 ─► the kernel collects up to 200 packets, or for 10 ms ─► one recv ─► LogBatch ─► sink
 *
 * Packets that the kernel drops because a buffer is full are counted by the gap in the sequence numbers.
 */
export class NflogSource implements PacketSource {
  readonly kind = "nflog";
  readonly name: string;
  readonly stats = newSourceStats();
  readonly #group: number;

  constructor(name: string, options: NflogOptions) {
    this.name = name;
    this.#group = options.group;
  }

  async run(sink: PacketSink, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const sockets: NetlinkSocket[] = [];
    let watch: Watch | undefined;
    try {
      const fault = nativeFault() ?? (await watchFault());
      if (fault !== null) throw new StoplogError(fault.replace(/^C/, "c"));
      if (signal.aborted) return;
      const route = openNetlink({ protocol: NETLINK_ROUTE });
      sockets.push(route);
      const socket = openNetlink({
        protocol: NETLINK_NETFILTER,
        receiveBuffer: LIMITS.packetBytes.value,
      });
      sockets.push(socket);
      const names = new LinkNames(route);
      const batch = new LogBatch(this.stats, (index) => names.of(index));
      const early = bindLogGroup(socket, { group: this.#group, ...COLLECTING });
      this.stats.state = `listens on netlink log group ${this.#group}`;
      for (const bytes of early) this.#deliver(bytes, batch, sink);
      await new Promise<void>((resolve, reject) => {
        signal.addEventListener("abort", () => resolve(), { once: true });
        watch = watchReadable(socket.fd, () => {
          try {
            this.#receive(socket, batch, sink);
          } catch (thrown) {
            reject(thrown as Error);
          }
        });
      });
      watch?.close();
      watch = undefined;
      unbindLogGroup(socket, this.#group);
      // Unbinding makes the kernel send the packets that it has collected.
      this.#receive(socket, batch, sink, Infinity);
    } catch (thrown) {
      throw thrown instanceof StoplogError ? thrown : cannot(`read packets of group ${this.#group}`, thrown);
    } finally {
      watch?.close();
      for (const socket of sockets) socket.closeAside();
      this.stats.state = "stopped";
    }
  }

  /** None: the kernel keeps no packets while no program listens. */
  position(): null {
    return null;
  }

  /** Reads until nothing waits, for `stretch` ms at most. The watch calls again when packets remain. */
  #receive(socket: NetlinkSocket, batch: LogBatch, sink: PacketSink, stretch = STRETCH): void {
    const deadline = performance.now() + stretch;
    do {
      const bytes = socket.receive();
      if (bytes === null) return;
      if (bytes === "lost") this.stats.overruns++;
      else this.#deliver(bytes, batch, sink);
    } while (performance.now() < deadline);
  }

  #deliver(bytes: Uint8Array, batch: LogBatch, sink: PacketSink): void {
    batch.aim(bytes);
    this.stats.bytes += bytes.length;
    this.stats.batches++;
    sink(batch satisfies PacketBatch);
  }
}

/**
 * 128 bytes hold an IPv6 header, a few extension headers and the first bytes of a TCP header. The kernel wakes the process for
 * 200 packets or after 10 ms, whichever comes first: in a flood one call handles 200 packets, otherwise the delay is 10 ms.
 * The kernel's buffer with its overhead just fits into 32 KiB, because the kernel allocates whole blocks.
 */
const COLLECTING = { copyBytes: 128, threshold: 200, timeout: 1, bufferBytes: (32 << 10) - 512 };
/** In ms. */
const STRETCH = 5;

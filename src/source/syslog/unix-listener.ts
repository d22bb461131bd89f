import { readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { StoplogError } from "../../core/errors.ts";
import { DatagramReader } from "../../kernel/native/datagrams.ts";
import { loadNative, nativeFault } from "../../kernel/native/libc.ts";
import { type Watch, watchFault, watchReadable } from "../../kernel/native/poll.ts";
import { FolderWatch } from "../file/folder-watch.ts";
import { Delivery } from "./delivery.ts";
import type { Listener, ListenerParts } from "./listener.ts";
import { bindUnixPath, type SocketPermissions } from "./unix-path.ts";

/**
 * Listens on a UNIX datagram socket. Its queue holds a few hundred messages. When it is full, a sender such as rsyslog's
 * omuxsock blocks, and with it all logging of the machine. So the listener empties the queue after every batch, however slow
 * the sink is. Messages wait in the store instead, which sheds the oldest.
 */
export async function listenUnix(
  path: string,
  permissions: SocketPermissions,
  { store, maxLine, onBroken }: ListenerParts,
): Promise<Listener> {
  const fault = nativeFault() ?? (await watchFault());
  if (fault !== null)
    throw new StoplogError(`${fault.replace(/^C/, "c")}; use a file or udp:127.0.0.1:PORT instead`);
  const queue = raiseQueueLength();
  const bound = bindUnixPath(path, permissions);
  const reader = new DatagramReader(bound.fd, {
    slots: SLOTS,
    maxBytes: Math.max(MAX_DATAGRAM, maxLine * 2),
  });
  const folders = new FolderWatch(() => {
    if (!bound.isOurs()) onBroken(new StoplogError("its path was removed or replaced"));
  });
  folders.watch(new Set([dirname(path)]));

  /** For at most 1 ms, so that a fast sender does not starve the sink. */
  const drain = (): void => {
    const deadline = performance.now() + DRAIN;
    try {
      let count: number;
      do {
        count = reader.receive();
        for (let i = 0; i < count; i++) {
          const start = reader.offset(i);
          store.addDatagram(reader.bytes, start, start + reader.length(i));
        }
      } while (count === SLOTS && performance.now() < deadline);
    } catch (thrown) {
      onBroken(thrown as Error);
    }
  };
  const delivery = new Delivery(store, { between: drain });
  const watch: Watch = watchReadable(bound.fd, () => {
    drain();
    delivery.now();
  });

  return {
    state: `listens on unix:${path}, queue of ${queue} datagrams`,
    close() {
      folders.close();
      bound.remove(); // first, so that no message arrives after the last read
      watch.close();
      drain();
      loadNative().libc.close(bound.fd);
      delivery.finish();
    },
  };
}

const SLOTS = 32;
/** In bytes. A longer datagram is truncated to this; its line is still too long and counted as truncated. */
const MAX_DATAGRAM = (1 << 16) + 192;
/** In ms. */
const DRAIN = 1;

const QUEUE_LENGTH = "/proc/sys/net/unix/max_dgram_qlen";
const QUEUE_TARGET = 512;

/** Raises the kernel's limit, which applies to sockets created afterwards. Only root may do so. Returns the limit in force. */
function raiseQueueLength(): number | string {
  try {
    const length = Number(readFileSync(QUEUE_LENGTH, "latin1"));
    if (length >= QUEUE_TARGET || process.geteuid?.() !== 0) return length;
    writeFileSync(QUEUE_LENGTH, String(QUEUE_TARGET));
    return Number(readFileSync(QUEUE_LENGTH, "latin1"));
  } catch {
    return "an unknown number of"; // no /proc, or read-only as in a container
  }
}

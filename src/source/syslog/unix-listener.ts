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
 * Listens on a UNIX datagram socket. Its queue holds some hundred messages, and when it is full a sender such as rsyslog's
 * omuxsock sleeps, and with it the whole machine's logging. So messages are taken out of it after every batch, whatever
 * the sink's pace; what the sink cannot keep up with waits in the store, and the oldest is shed there.
 */
export async function listenUnix(
  path: string,
  permissions: SocketPermissions,
  { store, maxLine, onBroken }: ListenerParts,
): Promise<Listener> {
  const fault = nativeFault() ?? (await watchFault());
  if (fault !== null)
    throw new StoplogError(`${fault.replace(/^C/, "c")}; take a file, or udp:127.0.0.1:PORT instead`);
  const queue = raiseQueueLength();
  const bound = bindUnixPath(path, permissions);
  const reader = new DatagramReader(bound.fd, {
    slots: SLOTS,
    maxBytes: Math.max(MAX_DATAGRAM, maxLine * 2),
  });
  const folders = new FolderWatch(() => {
    if (!bound.isOurs()) onBroken(new StoplogError("somebody took its path away"));
  });
  folders.watch(new Set([dirname(path)]));

  /** At most 1 ms, so that a sender without end does not keep the sink from its work. */
  const drain = (): void => {
    const deadline = performance.now() + DRAIN;
    try {
      let count: number;
      do {
        count = reader.receive();
        for (let i = 0; i < count; i++) {
          const start = reader.offset(i);
          store.add(reader.bytes, start, start + reader.length(i));
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
      bound.remove(); // first, so that nobody sends what nobody would read
      watch.close();
      drain();
      loadNative().libc.close(bound.fd);
      delivery.finish();
    },
  };
}

const SLOTS = 32;
/** In bytes; of a longer datagram the head is taken, which as a line is longer than the bound and counted as cut. */
const MAX_DATAGRAM = (1 << 16) + 192;
/** In ms. */
const DRAIN = 1;

const QUEUE_LENGTH = "/proc/sys/net/unix/max_dgram_qlen";
const WANTED_QUEUE = 512;

/** The kernel's limit counts for sockets made from now on. Only root may raise it; the answer is what holds. */
function raiseQueueLength(): number | string {
  try {
    const length = Number(readFileSync(QUEUE_LENGTH, "latin1"));
    if (length >= WANTED_QUEUE || process.geteuid?.() !== 0) return length;
    writeFileSync(QUEUE_LENGTH, String(WANTED_QUEUE));
    return Number(readFileSync(QUEUE_LENGTH, "latin1"));
  } catch {
    return "an unknown number of"; // no /proc, or it is read-only in this container
  }
}

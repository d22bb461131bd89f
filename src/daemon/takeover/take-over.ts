import { askTakeover } from "../../api/ask-takeover.ts";
import { cannot, factOf, StoplogError } from "../../core/errors.ts";
import { SECOND } from "../../core/time.ts";
import { dropPassedLocks, lockFile } from "../../kernel/native/file-lock.ts";
import { DescriptorChannel } from "../../kernel/native/descriptor-channel.ts";
import { nativeFault } from "../../kernel/native/libc.ts";
import { dropPassedSocket, unusedSockets } from "../../kernel/native/passed-sockets.ts";
import { shareNames } from "../../kernel/native/shared-names.ts";
import { estateIn, inherit } from "./estate.ts";
import { takeoverPath, WATCHES } from "./hand-over.ts";

/** A takeover under way: the running daemon has stopped, and starts again if this process ends before `confirm`. */
export interface Takeover {
  /** Call it when this process watches. The other one ends then. */
  confirm(): void;
}

/**
 * Asks the running daemon for its sockets and locks; nothing else of it is touched. Null when none runs, or when it ended meanwhile: then this process
 * starts as usual. Rejects with a StoplogError when the daemon refuses; it goes on then.
 */
export async function takeOver(
  socketPath: string,
  say: (sentence: string) => void,
): Promise<Takeover | null> {
  const fault = nativeFault();
  if (fault !== null) throw cannot("take over", fault.replace(/^C/, "c"));
  const lock = lockFile(`${takeoverPath(socketPath)}.lock`);
  if (!("release" in lock))
    throw new StoplogError(`Cannot take over: process ${lock.by ?? "another"} does so already`);
  try {
    const channel = await connected(socketPath);
    if (channel === null) {
      say(`No daemon listens at ${socketPath}: starting as usual`);
      return null;
    }
    const parcel = await channel.receive(AbortSignal.timeout(PATIENCE));
    if (parcel === null) {
      channel.close();
      say("The running daemon ended without handing over: starting as usual");
      return null;
    }
    const { pid } = channel.peer();
    shareNames(true);
    inherit(estateIn(parcel));
    return {
      confirm() {
        for (const name of unusedSockets("daemon")) dropPassedSocket(name);
        dropPassedLocks();
        shareNames(false);
        channel.send({ text: WATCHES, descriptors: [] });
        channel.close();
        say(`Took over from process ${pid}`);
      },
    };
  } catch (thrown) {
    if (thrown instanceof StoplogError) throw thrown;
    throw cannot("take over", factOf(thrown));
  } finally {
    lock.release();
  }
}

/** How long the running daemon may take to stop. */
const PATIENCE = 60 * SECOND;
/** How long it may take to connect after it has accepted. */
const CONNECTS = 10 * SECOND;

async function connected(socketPath: string): Promise<DescriptorChannel | null> {
  const abort = new AbortController();
  const coming = DescriptorChannel.listen(takeoverPath(socketPath), abort.signal);
  coming.catch(() => undefined); // it may reject while the daemon answers
  try {
    const runs = await Promise.race([coming.then(() => true), askTakeover(socketPath)]);
    if (!runs) return null;
    const late = AbortSignal.timeout(CONNECTS);
    late.addEventListener("abort", () => abort.abort());
    return await coming;
  } finally {
    abort.abort();
  }
}

import { statSync } from "node:fs";
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
      await untilFree(`${socketPath}.lock`);
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
        const isTold = tell(channel);
        channel.close();
        say(`Took over from process ${pid}${isTold ? "" : ", which has ended already"}`);
      },
    };
  } catch (thrown) {
    if (thrown instanceof StoplogError) throw thrown;
    throw cannot("take over", factOf(thrown));
  } finally {
    lock.release();
  }
}

/** False when the other process has ended by itself, or by a signal: then nothing waits for the word, and this process goes on all the more. */
function tell(channel: DescriptorChannel): boolean {
  try {
    channel.send({ text: WATCHES, descriptors: [] });
    return true;
  } catch {
    return false;
  }
}

/** The kernel closes the descriptors of a process that was killed one by one: its end of the channel may close before its locks. */
async function untilFree(path: string): Promise<void> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const lock = lockFile(path);
    if ("release" in lock) return lock.release();
    // Not core/sleep.ts: nothing else keeps this process running.
    await new Promise((resolve) => setTimeout(resolve, BETWEEN));
  }
}

/** How long the running daemon may take to stop. */
const PATIENCE = 60 * SECOND;
/** Five seconds. */
const MOST_TRIES = 100;
const BETWEEN = 0.05 * SECOND;
/** How long it may take to connect after it has accepted. */
const CONNECTS = 10 * SECOND;

async function connected(socketPath: string): Promise<DescriptorChannel | null> {
  const abort = new AbortController();
  const coming = DescriptorChannel.listen(takeoverPath(socketPath), abort.signal, daemonUser(socketPath));
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

/** The daemon connects as its own user: a socket of root's would refuse it. */
function daemonUser(socketPath: string): number | undefined {
  const owner = statSync(socketPath, { throwIfNoEntry: false })?.uid;
  return process.geteuid?.() === 0 ? owner : undefined;
}

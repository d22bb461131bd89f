import { cannot, StoplogError } from "../../core/errors.ts";
import { DescriptorChannel, MOST_DESCRIPTORS } from "../../kernel/native/descriptor-channel.ts";
import { heldLocks } from "../../kernel/native/file-lock.ts";
import { nativeFault } from "../../kernel/native/libc.ts";
import { shareNames } from "../../kernel/native/shared-names.ts";
import { ownSockets } from "../../kernel/native/socket-names.ts";
import { closeEstate, type Estate, inherit, keepEstate, parcelOf } from "./estate.ts";

/**
 * The daemon's end of a takeover. Another process asks on the control socket, and listens at a path that only this user or root can make. The daemon
 * stops, with everything saved, and sends its sockets and locks there. It keeps them until the other process watches: if that ends before, the
 * daemon starts again.
 *
 *      offer ─► asked ─► begin ─► (the daemon stops) ─► finish: true, it ends; false, it starts again
 */
export class HandOver {
  /** Resolves when another process has asked and is connected. */
  asked: Promise<Heir>;
  #resolve: (heir: Heir) => void = () => undefined;
  #heir: Heir | null = null;
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
    this.asked = this.#nextAsked();
  }

  /** Called for a request on the control socket. Throws a StoplogError when this daemon does not hand over. */
  offer(): void {
    const fault = nativeFault();
    if (fault !== null) throw cannot("hand over", fault.replace(/^C/, "c"));
    if ((process.env["NOTIFY_SOCKET"] ?? "") !== "")
      throw new StoplogError("Cannot hand over: systemd runs this daemon (systemctl restart stoplog)");
    if (this.#heir !== null) throw new StoplogError("Cannot hand over: it does so already");
    if (ownSockets().length + heldLocks().size > MOST_DESCRIPTORS)
      throw new StoplogError(`Cannot hand over: more than ${MOST_DESCRIPTORS} sockets and locks are open`);
    const channel = DescriptorChannel.connect(takeoverPath(this.#socketPath));
    const { pid, uid } = channel.peer();
    if (uid !== 0 && uid !== process.geteuid?.()) {
      channel.close();
      throw new StoplogError(`Cannot hand over: process ${pid} is of another user`);
    }
    this.#heir = { channel, pid };
    this.#resolve(this.#heir);
  }

  /** Call it before anything is closed. From now on nothing removes a path. */
  begin(): Estate {
    shareNames(true);
    return keepEstate();
  }

  /** Resolves to true when the other process watches. When it has failed, everything is this process's again. */
  async finish({ channel }: Heir, estate: Estate, signal: AbortSignal): Promise<boolean> {
    const isTaken = await sent(channel, estate, signal);
    channel.close();
    if (isTaken) {
      closeEstate(estate);
      return true;
    }
    inherit(estate);
    shareNames(false);
    this.#heir = null;
    this.asked = this.#nextAsked();
    return false;
  }

  #nextAsked(): Promise<Heir> {
    return new Promise((resolve) => (this.#resolve = resolve));
  }
}

async function sent(channel: DescriptorChannel, estate: Estate, signal: AbortSignal): Promise<boolean> {
  try {
    channel.send(parcelOf(estate));
  } catch {
    return false; // the other process has ended
  }
  const answer = await channel.receive(signal);
  return answer?.text === WATCHES || signal.aborted;
}

/** The process that takes over. */
export interface Heir {
  readonly channel: DescriptorChannel;
  readonly pid: number;
}

/** Where the process that takes over listens. Beside the control socket, where other users cannot make a file. */
export function takeoverPath(socketPath: string): string {
  return `${socketPath}.takeover`;
}

/** What the process that takes over says when it has started. */
export const WATCHES = "watches";

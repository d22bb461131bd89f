import { loadNative, openSocket, SOCK_CLOEXEC, SOCK_RAW } from "../../src/kernel/native/libc.ts";
import { systemError } from "../../src/kernel/native/system-error.ts";
import { ethernetFrame, type FrameOptions } from "./ip-frame.ts";
import type { Namespace } from "./namespace.ts";

/** A sending interface: its index, its MAC address, and the MAC address of the other end. */
export interface LinkEnds {
  readonly index: number;
  readonly from: string;
  readonly to: string;
}

/** The ends of a link made by `join`. */
export function linkEnds(sender: Namespace, receiver: Namespace, link = "veth0", other = "veth0"): LinkEnds {
  const here = show(sender, link);
  return { index: here.ifindex, from: here.address, to: show(receiver, other).address };
}

/** Sends raw frames: any source, any flags; the kernel's TCP does not take part. */
export class RawLink {
  readonly #fd: number;
  readonly #ends: LinkEnds;

  /** Must be called inside the sender's namespace. */
  constructor(ends: LinkEnds) {
    this.#ends = ends;
    this.#fd = openRaw(ends.index);
  }

  static async open(sender: Namespace, receiver: Namespace): Promise<RawLink> {
    const ends = linkEnds(sender, receiver);
    return sender.inside(() => new RawLink(ends));
  }

  send(...frames: readonly FrameOptions[]): void {
    const { libc } = loadNative();
    for (const frame of frames) {
      const bytes = ethernetFrame(frame, this.#ends);
      if (libc.send(this.#fd, bytes, bytes.length, 0) < 0) throw systemError(libc.errno());
    }
  }

  close(): void {
    loadNative().libc.close(this.#fd);
  }
}

/** A send-only packet socket bound to an interface (packet(7)). Needs CAP_NET_RAW. */
export function openRaw(index: number): number {
  const { libc } = loadNative();
  const fd = openSocket(libc, "open a packet socket", [AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0]);
  // struct sockaddr_ll: family, protocol and interface; the kernel fills in the rest.
  const address = Buffer.alloc(20);
  new Uint16Array(address.buffer, address.byteOffset, 1)[0] = AF_PACKET;
  new Int32Array(address.buffer, address.byteOffset + 4, 1)[0] = index;
  if (libc.bind(fd, address, address.length) < 0) throw systemError(libc.errno());
  return fd;
}

const AF_PACKET = 17;

function show(namespace: Namespace, link: string): { readonly ifindex: number; readonly address: string } {
  const [found] = JSON.parse(namespace.run("ip", "-j", "link", "show", link)) as [
    { ifindex: number; address: string },
  ];
  return found;
}

import type { ConnectionList } from "../connection-list.ts";
import { HOST_LITTLE_ENDIAN } from "../netlink/align.ts";
import type { Encoder } from "../netlink/encoder.ts";
import { NLM_F_DUMP, NLM_F_REQUEST } from "../netlink/message.ts";

export interface SocketKind {
  readonly family: typeof AF_INET | typeof AF_INET6;
  readonly protocol: typeof IPPROTO_TCP | typeof IPPROTO_UDP;
}

/**
 * The sockets of one kind in this network namespace that another machine opened (linux/inet_diag.h). The kernel does not keep who opened a
 * socket: `isServed` tells whether this machine serves at its local port. An IPv6 socket that also serves IPv4
 * is in the list of IPv6. The owner of a destroyed socket reads ECONNABORTED; over TCP the other end gets a reset.
 */
export function socketList(
  { family, protocol }: SocketKind,
  isServed: (port: number) => boolean,
): ConnectionList {
  const isTcp = protocol === IPPROTO_TCP;
  const kind = { family, protocol, states: isTcp ? TCP_STATES : CONNECTED };
  return {
    noun: isTcp ? "TCP sockets" : "UDP sockets",
    // A reset is sent, and passes our own rules, within the call.
    deletionsATurn: 16,

    writeRequest(e, sequence) {
      const at = e.beginMessage(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, sequence);
      writeRequest(e, kind, NO_ID);
      e.endMessage(at);
    },

    concerns(addresses, { bytes, view, start, end }) {
      if (start + INET_DIAG_MESSAGE > end || bytes[start + TIMER] === TIME_WAIT_TIMER) return false;
      // What this machine opened stays.
      const { [start + STATE]: state } = bytes;
      if (state !== SYN_RECV && !isServed(localPort(view, start))) return false;
      const remote = start + SOCKET_ID + REMOTE_ADDRESS;
      return family === AF_INET ? addresses.holdsV4(view, remote) : addresses.holdsV6(view, remote);
    },

    /** By its whole identity, the kernel's cookie included: a newer socket between the same ends stays. */
    writeDeletion(e, sequence, { bytes, start }) {
      const at = e.beginMessage(SOCK_DESTROY, NLM_F_REQUEST, sequence);
      writeRequest(e, kind, bytes.subarray(start + SOCKET_ID, start + SOCKET_ID + SOCKET_ID_BYTES));
      e.endMessage(at);
    },
  };
}

// Linux's numbers (linux/socket.h, linux/in.h).
export const AF_INET = 2;
export const AF_INET6 = 10;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;

/** linux/sock_diag.h */
const SOCK_DIAG_BY_FAMILY = 20;
const SOCK_DESTROY = 21;

/** struct inet_diag_msg: four bytes, the socket's identity, and more. */
const INET_DIAG_MESSAGE = 72;
const STATE = 1;
const TIMER = 2;
const SOCKET_ID = 4;

/** struct inet_diag_sockid: ports, source, destination, interface, cookie; and the offset of the destination. */
const SOCKET_ID_BYTES = 48;
const REMOTE_ADDRESS = 20;

/** A TIME_WAIT socket, which the list shows as FIN_WAIT2; older kernels refuse to destroy it. */
const TIME_WAIT_TIMER = 3;

/** The bit of each state of net/tcp_states.h: 1 ESTABLISHED, 6 TIME_WAIT, 7 CLOSE, 10 LISTEN. */
const CONNECTED = 1 << 1;
/** All states with a remote end except TIME_WAIT; they include the half-open ones of a SYN flood. */
const TCP_STATES = 0xffe & ~((1 << 6) | (1 << 7) | (1 << 10));

/** A connection that another machine begins. */
const SYN_RECV = 3;
const LISTEN = 10;
/** Of UDP: without a remote end. */
const CLOSE = 7;

/** Requests the sockets that serve at a port, without a remote end. */
export function writeListenersRequest(e: Encoder, sequence: number, { family, protocol }: SocketKind): void {
  const states = 1 << (protocol === IPPROTO_TCP ? LISTEN : CLOSE);
  const at = e.beginMessage(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, sequence);
  writeRequest(e, { family, protocol, states }, NO_ID);
  e.endMessage(at);
}

/** The local port of a listed socket, whose message's body begins at `start`. */
export function localPort(view: DataView, start: number): number {
  return view.getUint16(start + SOCKET_ID);
}

const NO_ID = new Uint8Array(SOCKET_ID_BYTES);

/** Writes a struct inet_diag_req_v2. */
function writeRequest(
  e: Encoder,
  { family, protocol, states }: SocketKind & { readonly states: number },
  id: Uint8Array,
): void {
  const bytes = new Uint8Array(8);
  bytes[0] = family;
  bytes[1] = protocol;
  new DataView(bytes.buffer).setUint32(4, states, HOST_LITTLE_ENDIAN);
  e.plain(bytes);
  e.plain(id);
}

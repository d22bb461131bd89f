import { ENOENT, EOPNOTSUPP } from "../../kernel/native/system-error.ts";
import { HOST_LITTLE_ENDIAN } from "../../kernel/netlink/align.ts";
import type { Encoder } from "../../kernel/netlink/encoder.ts";
import { NLM_F_DUMP, NLM_F_REQUEST } from "../../kernel/netlink/message.ts";
import { NETLINK_SOCK_DIAG } from "../../kernel/netlink/socket.ts";
import { cutListed } from "./cut-listed.ts";
import type { Cuttable } from "./cuttable.ts";
import type { ConnectionList } from "./list.ts";

/**
 * The sockets of this network namespace that have a remote end (linux/inet_diag.h). An IPv6 socket that serves IPv4 as well
 * stands in the list of IPv6. Whoever holds a destroyed socket reads ECONNABORTED; over TCP the other end gets a reset.
 */
export function liveSockets(): readonly Cuttable[] {
  return [
    socketsOf(AF_INET, IPPROTO_TCP),
    socketsOf(AF_INET6, IPPROTO_TCP),
    socketsOf(AF_INET, IPPROTO_UDP),
    socketsOf(AF_INET6, IPPROTO_UDP),
  ];
}

// Linux's numbers (linux/socket.h, linux/in.h).
const AF_INET = 2;
const AF_INET6 = 10;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;

/** linux/sock_diag.h */
const SOCK_DIAG_BY_FAMILY = 20;
const SOCK_DESTROY = 21;

/** struct inet_diag_msg: four bytes, the socket's identity, and more. */
const INET_DIAG_MESSAGE = 72;
const TIMER = 2;
const SOCKET_ID = 4;

/** struct inet_diag_sockid: ports, source, destination, interface, cookie; and where the destination stands in it. */
const SOCKET_ID_BYTES = 48;
const REMOTE_ADDRESS = 20;

/** Of a mere memory of a socket, which stands in the list as FIN_WAIT2; older kernels refuse to destroy it. */
const TIME_WAIT_TIMER = 3;

/** The bit of each state of net/tcp_states.h: 1 ESTABLISHED, 6 TIME_WAIT, 7 CLOSE, 10 LISTEN. */
const CONNECTED = 1 << 1;
/** All that have a remote end but TIME_WAIT; the half-open ones of a SYN flood are among them. */
const TCP_STATES = 0xffe & ~((1 << 6) | (1 << 7) | (1 << 10));

function socketsOf(family: number, protocol: number): Cuttable {
  const tcp = protocol === IPPROTO_TCP;
  const noun = tcp ? "TCP sockets" : "UDP sockets";
  const list = socketList({ noun, family, protocol, states: tcp ? TCP_STATES : CONNECTED });
  return {
    noun,
    protocol: NETLINK_SOCK_DIAG,
    cut: (banned, link, stopped) => cutListed(list, banned, link, stopped),
    lack(doing, errno) {
      if (doing === "list" && errno === ENOENT) return `the kernel has no module ${tcp ? "tcp" : "udp"}_diag`;
      if (doing === "cut" && errno === EOPNOTSUPP) return "the kernel was built without INET_DIAG_DESTROY";
      return null;
    },
  };
}

function socketList({ noun, family, protocol, states }: Kind): ConnectionList {
  return {
    noun,
    // A reset goes out, and on its way through our own rules, within the call.
    ordersATurn: 16,

    ask(e, sequence) {
      const at = e.beginMessage(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, sequence);
      request(e, { family, protocol, states, id: NO_ID });
      e.endMessage(at);
    },

    concerns(banned, { bytes, view, start, end }) {
      if (start + INET_DIAG_MESSAGE > end || bytes[start + TIMER] === TIME_WAIT_TIMER) return false;
      const remote = start + SOCKET_ID + REMOTE_ADDRESS;
      return family === AF_INET ? banned.holdsV4(view, remote) : banned.holdsV6(view, remote);
    },

    /** By all of its identity, the kernel's cookie included: a new socket between the same ends stays. */
    order(e, sequence, { bytes, start }) {
      const at = e.beginMessage(SOCK_DESTROY, NLM_F_REQUEST, sequence);
      const id = bytes.subarray(start + SOCKET_ID, start + SOCKET_ID + SOCKET_ID_BYTES);
      request(e, { family, protocol, states, id });
      e.endMessage(at);
    },
  };
}

interface Kind {
  readonly noun: string;
  readonly family: number;
  readonly protocol: number;
  /** Bits of the states that are listed. */
  readonly states: number;
}

const NO_ID = new Uint8Array(SOCKET_ID_BYTES);

/** Writes a struct inet_diag_req_v2. */
function request(
  e: Encoder,
  { family, protocol, states, id }: Omit<Kind, "noun"> & { readonly id: Uint8Array },
): void {
  const bytes = new Uint8Array(8);
  bytes[0] = family;
  bytes[1] = protocol;
  new DataView(bytes.buffer).setUint32(4, states, HOST_LITTLE_ENDIAN);
  e.plain(bytes);
  e.plain(id);
}

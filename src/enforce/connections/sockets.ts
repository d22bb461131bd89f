import { ENOENT, EOPNOTSUPP } from "../../kernel/native/system-error.ts";
import { NETLINK_SOCK_DIAG } from "../../kernel/netlink/socket.ts";
import {
  AF_INET,
  AF_INET6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  socketList,
  type SocketKind,
} from "../../kernel/sock-diag/socket-list.ts";
import { cutListed } from "./cut-listed.ts";
import type { Cuttable } from "./cuttable.ts";
import { isChosenByKernel, servedPorts } from "./served-ports.ts";

/** The sockets of this network namespace that have a remote end. */
export function liveSockets(): readonly Cuttable[] {
  return [IPPROTO_TCP, IPPROTO_UDP].flatMap((protocol) =>
    [AF_INET, AF_INET6].map((family) => socketsOf({ family, protocol } as SocketKind)),
  );
}

function socketsOf(kind: SocketKind): Cuttable {
  const isTcp = kind.protocol === IPPROTO_TCP;
  let served: ReadonlySet<number> = new Set();
  const list = socketList(kind, (port) => served.has(port) || !isChosenByKernel(port));
  return {
    noun: isTcp ? "TCP sockets" : "UDP sockets",
    protocol: NETLINK_SOCK_DIAG,
    cut(banned, link, stopped) {
      served = servedPorts(kind, link.list);
      return cutListed(list, banned, link, stopped);
    },
    lack(doing, errno) {
      if (doing === "list" && errno === ENOENT)
        return `the kernel has no module ${isTcp ? "tcp" : "udp"}_diag`;
      if (doing === "cut" && errno === EOPNOTSUPP) return "the kernel was built without INET_DIAG_DESTROY";
      return null;
    },
  };
}

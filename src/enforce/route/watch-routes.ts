import { watchReadable } from "../../kernel/native/poll.ts";
import { type Message, messagesIn } from "../../kernel/netlink/message.ts";
import { NETLINK_ROUTE, openNetlink } from "../../kernel/netlink/socket.ts";
import { type Hole, readHole, RTM_DELROUTE } from "./messages.ts";

export interface RouteWatch {
  close(): void;
}

/**
 * Reads the kernel's notices of routes, and reports when another program deleted one of ours. When there were more notices than the socket
 * could hold, the kernel drops some and says so: then one of ours may be among them.
 */
export function watchRoutes(
  ownPort: number,
  isOurs: (hole: Hole) => boolean,
  onLost: (fact: string) => void,
): RouteWatch {
  const socket = openNetlink({
    protocol: NETLINK_ROUTE,
    groups: [RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE],
    receiveBuffer: RECEIVE_BUFFER,
  });
  const isLoss = (message: Message): boolean => {
    if (message.type !== RTM_DELROUTE || message.port === ownPort) return false;
    const hole = readHole(message);
    return hole !== null && isOurs(hole);
  };
  let overrun = false;
  const watch = watchReadable(socket.fd, () => {
    let fact: string | null = null;
    for (let i = 0; i < DATAGRAMS_A_TURN; i++) {
      const bytes = socket.receive();
      if (bytes === null) {
        if (overrun) fact ??= "so many routes changed that notices were lost";
        overrun = false;
        break;
      }
      if (bytes === "lost") overrun = true;
      else if (fact === null && [...messagesIn(bytes)].some(isLoss))
        fact = "another program deleted a route of a ban";
    }
    if (fact !== null) onLost(fact);
  });
  watch.unref();
  return {
    close() {
      watch.close();
      socket.close();
    },
  };
}

// linux/rtnetlink.h
const RTNLGRP_IPV4_ROUTE = 7;
const RTNLGRP_IPV6_ROUTE = 11;

const RECEIVE_BUFFER = 4 * 1024 * 1024;
const DATAGRAMS_A_TURN = 128;

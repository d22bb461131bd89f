import { type Address, addressFromBytes, sameAddress } from "../../src/core/address.ts";
import {
  attributesOf,
  type Message,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLMSG_DONE,
} from "../../src/kernel/netlink/message.ts";
import { Encoder } from "../../src/kernel/netlink/encoder.ts";
import { fakeAnswer, fakeNetlink } from "./fake-netlink.ts";
import {
  NETLINK_SOCK_DIAG,
  type NetlinkOptions,
  type NetlinkSocket,
} from "../../src/kernel/netlink/socket.ts";
import * as ct from "../../src/kernel/conntrack/constants.ts";

/** The requests that the fake kernel understands. */
export type Question = "list sockets" | "destroy" | "count" | "list entries" | "delete" | "look for";

/**
 * A kernel that tracks IPv4 connections and has TCP sockets, by the addresses of their other ends. It refuses the requests for which
 * `refuse` answers an errno; for -1 it does not answer at all.
 */
export class FakeKernel {
  readonly asked: Question[] = [];
  tracked: Address[] = [];
  sockets: Address[] = [];
  opened = 0;
  closed = 0;
  refuse: (question: Question, about: Address | null) => number = () => 0;

  open({ protocol }: NetlinkOptions): NetlinkSocket {
    this.opened++;
    const answer = (message: Message): Uint8Array[] =>
      protocol === NETLINK_SOCK_DIAG ? this.#sockDiag(message) : this.#conntrack(message);
    return {
      ...fakeNetlink((messages) => messages.flatMap(answer)),
      closeAside: () => this.closed++,
    };
  }

  #sockDiag(message: Message): Uint8Array[] {
    const family = message.bytes[message.start]!;
    const tcp = message.bytes[message.start + 1] === 6;
    if ((message.flags & NLM_F_DUMP) !== 0) {
      const listed = tcp && family === 2 ? this.sockets : [];
      return this.#answer(message, "list sockets", null) ?? [list(listed.map(socketOf)), done()];
    }
    const remote = addressFromBytes(message.bytes, message.start + 8 + 20, 4);
    const refused = this.#answer(message, "destroy", remote);
    if (refused === null) this.sockets = this.sockets.filter((each) => !sameAddress(each, remote));
    return refused ?? [];
  }

  #conntrack(message: Message): Uint8Array[] {
    switch (message.type) {
      case ct.CT_GET_STATS:
        return this.#answer(message, "count", null) ?? [list([count(this.tracked.length)])];
      case ct.CT_GET:
        return this.#answer(message, "list entries", null) ?? [list(this.tracked.map(entryOf)), done()];
      default: {
        const { source, filtered } = orderIn(message);
        const refused = this.#answer(message, filtered ? "look for" : "delete", source);
        if (refused !== null) return refused;
        if (source !== null) this.tracked = this.tracked.filter((each) => !sameAddress(each, source));
        return (message.flags & NLM_F_ACK) === 0 ? [] : [fakeAnswer(message, 0)];
      }
    }
  }

  #answer(message: Message, question: Question, about: Address | null): Uint8Array[] | null {
    this.asked.push(question);
    const errno = this.refuse(question, about);
    return errno === 0 ? null : errno < 0 ? [] : [fakeAnswer(message, errno)];
  }
}

/** The source in the original direction that a request names; null when it names the reply direction, which no entry here has. */
function orderIn(message: Message): { readonly source: Address | null; readonly filtered: boolean } {
  let source: Address | null = null;
  let filtered = false;
  const reader = attributesOf(message);
  while (reader.next()) {
    if (reader.type === ct.CTA_FILTER) filtered = true;
    if (reader.type !== ct.CTA_TUPLE_ORIG) continue;
    // The headers of TUPLE_IP and V4_SRC come first.
    source = addressFromBytes(message.bytes, reader.start + 8, 4);
  }
  return { source, filtered };
}

type Write = (e: Encoder) => void;

/** One datagram. */
function list(writes: readonly Write[]): Uint8Array {
  const e = new Encoder();
  for (const write of writes) write(e);
  return Uint8Array.from(e.bytes);
}

function done(): Uint8Array {
  return list([(e) => e.endMessage(e.beginMessage(NLMSG_DONE, 2, 1))]);
}

const count =
  (entries: number): Write =>
  (e) => {
    const at = e.beginMessage(ct.CT_GET_STATS, 0, 1);
    e.familyHeader(0, 0);
    e.u32(ct.CTA_STATS_GLOBAL_ENTRIES, entries);
    e.endMessage(at);
  };

const entryOf =
  (source: Address): Write =>
  (e) => {
    const at = e.beginMessage(0x100, 2, 1);
    e.familyHeader(ct.AF_INET, 0);
    e.nested(ct.CTA_TUPLE_ORIG, () => e.nested(ct.CTA_TUPLE_IP, () => e.words(ct.CTA_IP_V4_SRC, source.w3)));
    e.nested(ct.CTA_TUPLE_REPLY, () => e.nested(ct.CTA_TUPLE_IP, () => e.words(ct.CTA_IP_V4_SRC, 1)));
    e.u32(ct.CTA_ID, 4711);
    e.endMessage(at);
  };

/** A struct inet_diag_msg. */
const socketOf =
  (remote: Address): Write =>
  (e) => {
    const bytes = Buffer.alloc(72);
    bytes[0] = ct.AF_INET;
    bytes[1] = 1;
    bytes.writeInt32BE(remote.w3, 24);
    const at = e.beginMessage(20, 2, 1);
    e.plain(bytes);
    e.endMessage(at);
  };

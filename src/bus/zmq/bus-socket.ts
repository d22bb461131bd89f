import type { Context, Publisher, Subscriber } from "zeromq";
import { cannot } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { SECOND } from "../../core/time.ts";
import { publicKeyOf, readPublicKey, readSecretKey } from "./curve-keys.ts";
import { loadZeroMq, type ZeroMq } from "./load-zeromq.ts";
import type { Peers } from "./peers.ts";
import { ZapDoor } from "./zap-door.ts";

/** Keys for CURVE (RFC 26): a client has the key of its server, a server the keys of its clients. */
export interface CurveOptions {
  /** File with this end's secret key. */
  readonly secretKey: string;
  /** The key of the server, or its file. */
  readonly serverKey: string | null;
  /** Keys of the permitted clients, or their files. */
  readonly clients: readonly string[];
}

/** The endpoints of a socket. */
export interface BusOptions {
  readonly connect: readonly string[];
  readonly bind: readonly string[];
  readonly curve: CurveOptions | null;
  /** Whether to ping peers (ZMTP 3.1). A peer with ZMTP 3.0 that is silent for half a minute is then disconnected. */
  readonly heartbeat: boolean;
}

/** A socket with its context and observers. */
export interface BusSocket<S extends Subscriber | Publisher> {
  readonly socket: S;
  close(): void;
}

/**
 * Opens a socket for each endpoint. With CURVE a socket is either a client, which connects, or a server, which binds; and each can be reported
 * and reconnected by itself. Calls `prepare` before a socket connects or binds. Rejects with a sentence.
 */
export async function openBus<S extends Subscriber | Publisher>(
  options: BusOptions,
  make: (zmq: ZeroMq, options: SocketSettings) => S,
  prepare: (socket: S) => void,
  peers: Peers,
): Promise<readonly BusSocket<S>[]> {
  const zmq = loadZeroMq();
  const opened: BusSocket<S>[] = [];
  try {
    for (const way of ["connect", "bind"] as const) {
      for (const endpoint of options[way]) {
        const one = await openEnd(zmq, { way, endpoint }, options, make);
        opened.push(one);
        prepare(one.socket);
        peers.watch(one.socket, way, endpoint);
        await join(one.socket, way, endpoint);
      }
    }
    return opened;
  } catch (thrown) {
    for (const one of opened) one.close();
    throw thrown;
  }
}

/** Options of every socket. */
export interface SocketSettings {
  readonly context: Context;
  readonly linger: number;
  readonly ipv6: boolean;
  readonly maxMessageSize: number;
  readonly reconnectInterval: number;
  readonly reconnectMaxInterval: number;
  readonly handshakeInterval: number;
  readonly heartbeatInterval?: number;
  readonly heartbeatTimeout?: number;
  readonly heartbeatTimeToLive?: number;
  readonly tcpMaxRetransmitTimeout: number;
  readonly tcpKeepalive: number;
  readonly tcpKeepaliveIdle: number;
  readonly tcpKeepaliveInterval: number;
  readonly tcpKeepaliveCount: number;
  readonly curveServer?: boolean;
  readonly curveSecretKey?: string;
  readonly curvePublicKey?: string;
  readonly curveServerKey?: string;
  readonly zapDomain?: string;
}

async function openEnd<S extends Subscriber | Publisher>(
  zmq: ZeroMq,
  { way, endpoint }: { readonly way: "connect" | "bind"; readonly endpoint: string },
  { curve, heartbeat }: BusOptions,
  make: (zmq: ZeroMq, options: SocketSettings) => S,
): Promise<BusSocket<S>> {
  // A context of its own: a context has a single ZAP handler, which would apply to all its sockets.
  const context = new zmq.Context({ blocky: false });
  const settings: SocketSettings = {
    ...SETTINGS,
    ...(heartbeat ? HEARTBEAT : {}),
    context,
    ipv6: endpoint.includes("["),
    ...(curve === null ? {} : way === "connect" ? clientKeys(curve) : serverKeys(curve)),
  };
  const door =
    curve === null || way === "connect"
      ? null
      : await ZapDoor.open(zmq, context, curve.clients.map(readPublicKey));
  const socket = make(zmq, settings);
  return {
    socket,
    close() {
      // Before the socket: otherwise the observer may wait for its last event forever, and keep the process running.
      socket.events.close();
      socket.close();
      door?.close();
    },
  };
}

/**
 * Times in ms. The kernel probes silent peers and closes connections without an acknowledgement, so a dead machine is noticed within half a
 * minute with any protocol. Nothing is queued for a disconnected peer.
 */
const SETTINGS = {
  linger: 0,
  maxMessageSize: LIMITS.busBytes.value,
  reconnectInterval: 0.1 * SECOND,
  reconnectMaxInterval: 10 * SECOND,
  handshakeInterval: 10 * SECOND,
  tcpMaxRetransmitTimeout: 30 * SECOND,
  tcpKeepalive: 1,
  /** Seconds, seconds and a count. */
  tcpKeepaliveIdle: 10,
  tcpKeepaliveInterval: 5,
  tcpKeepaliveCount: 4,
};

const HEARTBEAT = {
  heartbeatInterval: 10 * SECOND,
  heartbeatTimeout: 20 * SECOND,
  heartbeatTimeToLive: 30 * SECOND,
};

function clientKeys(curve: CurveOptions) {
  const secret = readSecretKey(curve.secretKey);
  return {
    curveSecretKey: secret,
    curvePublicKey: publicKeyOf(secret),
    curveServerKey: readPublicKey(curve.serverKey ?? ""),
  };
}

function serverKeys(curve: CurveOptions) {
  const secret = readSecretKey(curve.secretKey);
  return {
    curveServer: true,
    curveSecretKey: secret,
    curvePublicKey: publicKeyOf(secret),
    zapDomain: "stoplog",
  };
}

async function join(
  socket: Subscriber | Publisher,
  way: "connect" | "bind",
  endpoint: string,
): Promise<void> {
  try {
    if (way === "bind") await socket.bind(endpoint);
    else socket.connect(endpoint);
  } catch (thrown) {
    throw cannot(`${way === "bind" ? "bind" : "connect to"} ${endpoint}`, thrown);
  }
}

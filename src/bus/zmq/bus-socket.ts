import type { Context, Publisher, Subscriber } from "zeromq";
import { cannot } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { SECOND } from "../../core/time.ts";
import { publicKeyOf, readPublicKey, readSecretKey } from "./curve-keys.ts";
import { loadZeroMq, type ZeroMq } from "./load-zeromq.ts";
import type { Peers } from "./peers.ts";
import { ZapDoor } from "./zap-door.ts";

/** Keys for CURVE (RFC 26): who connects names the server's, who binds names the clients'. */
export interface CurveOptions {
  /** The file of the own secret key. */
  readonly secretKey: string;
  /** Of the server that is connected to: the key, or the file that holds it. */
  readonly serverKey: string | null;
  /** Of the clients that may connect, each the key or its file. */
  readonly clients: readonly string[];
}

/** The ends of a socket. */
export interface BusOptions {
  readonly connect: readonly string[];
  readonly bind: readonly string[];
  readonly curve: CurveOptions | null;
  /** Whether peers are pinged (ZMTP 3.1). One of ZMTP 3.0 that is silent for half a minute is taken for dead then. */
  readonly heartbeat: boolean;
}

/** A socket with all that belongs to it. */
export interface BusSocket<S extends Subscriber | Publisher> {
  readonly socket: S;
  close(): void;
}

/**
 * Opens a socket for each endpoint: with CURVE those that connect are clients and those that bind are servers, and so each can be told
 * of, and joined anew, by itself. `prepare` sees them before they join the bus. Rejects with a sentence.
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

/** What every socket of ours is made with. */
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
  // A context of its own: there is one door for ZAP in each, and nobody else's sockets are to pass by ours.
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
      // Before the socket: an observer that waits for its last word may wait for ever, and keeps the process.
      socket.events.close();
      socket.close();
      door?.close();
    },
  };
}

/**
 * Times in ms. The kernel asks after silent peers and gives up those that acknowledge nothing, so that a machine that died without a word is
 * noticed within half a minute, whatever protocol it spoke. Nothing is kept for a peer that is gone.
 */
const SETTINGS = {
  linger: 0,
  maxMessageSize: LIMITS.busBytes.value,
  reconnectInterval: 0.1 * SECOND,
  reconnectMaxInterval: 10 * SECOND,
  handshakeInterval: 10 * SECOND,
  tcpMaxRetransmitTimeout: 30 * SECOND,
  tcpKeepalive: 1,
  /** These three in seconds, and a count. */
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

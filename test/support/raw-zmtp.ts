import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Namespace } from "./namespace.ts";
import { until } from "./waiting.ts";

/** Versions of ØMQ's protocol: 1.0 (libzmq 2), 2.0 (libzmq 3), 3.0 (libzmq 4.0), all without encryption. */
export type Zmtp = "1.0" | "2.0" | "3.0";

/** The greeting of a publisher, byte by byte. */
const GREETINGS: Readonly<Record<Zmtp, string>> = {
  // An identity frame: its length with the flags, no flags, no name.
  "1.0": "0100",
  // RFC 15: signature, revision, PUB; the identity frame follows the other's greeting.
  "2.0": "ff00000000000000007f0101",
  // RFC 23: signature, version, mechanism NULL, no server.
  "3.0": `ff00000000000000007f03004e554c4c${"00".repeat(48)}`,
};

const AFTER_GREETING: Readonly<Record<Zmtp, string>> = {
  "1.0": "",
  "2.0": "0000",
  "3.0": "04190552454144590b536f636b65742d5479706500000003505542",
};

/** A publisher that writes the protocol's bytes itself, for one subscriber. */
export class RawPublisher {
  readonly #server: Server;
  readonly #zmtp: Zmtp;
  #socket: Socket | null = null;
  /** Bytes from the subscriber. */
  received = Buffer.alloc(0);

  private constructor(server: Server, zmtp: Zmtp) {
    this.#server = server;
    this.#zmtp = zmtp;
    server.on("connection", (socket) => {
      this.#socket = socket;
      this.received = Buffer.alloc(0);
      socket.on("error", () => undefined);
      socket.on("data", (chunk) => {
        this.received = Buffer.concat([this.received, chunk]);
      });
      socket.write(Buffer.from(GREETINGS[zmtp], "hex"));
    });
  }

  static async listen(namespace: Namespace, port: number, zmtp: Zmtp): Promise<RawPublisher> {
    return namespace.inside(async () => {
      const server = createServer();
      const publisher = new RawPublisher(server, zmtp);
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
      return publisher;
    });
  }

  /** Waits for the subscriber's greeting and completes the handshake. */
  async greet(): Promise<void> {
    const length = this.#zmtp === "3.0" ? 64 : this.#zmtp === "2.0" ? 12 : 10;
    await until("the subscriber has greeted", () => this.received.length >= length);
    this.#socket?.write(Buffer.from(AFTER_GREETING[this.#zmtp], "hex"));
  }

  send(...frames: readonly string[]): void {
    const bytes = frames.map((frame, i) => {
      const more = i < frames.length - 1 ? 1 : 0;
      const body = Buffer.from(frame);
      const head = this.#zmtp === "1.0" ? [body.length + 1, more] : [more, body.length];
      return Buffer.concat([Buffer.from(head), body]);
    });
    this.#socket?.write(Buffer.concat(bytes));
  }

  close(): void {
    this.#socket?.destroy();
    this.#server.close();
  }
}

/** Swabber's subscriber byte by byte: greets and subscribes by ZMTP 3.0, and records what arrives. */
export class RawSubscriber {
  readonly #socket: Socket;
  received = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
  }

  static async connect(namespace: Namespace, port: number): Promise<RawSubscriber> {
    return namespace.inside(async () => {
      const socket = connect(port, "127.0.0.1");
      const subscriber = new RawSubscriber(socket);
      await once(socket, "connect");
      socket.write(Buffer.from(GREETINGS["3.0"], "hex"));
      await until("the publisher has greeted", () => subscriber.received.length >= 64);
      socket.write(Buffer.from("04190552454144590b536f636b65742d5479706500000003535542", "hex"));
      await until("the publisher is ready", () => subscriber.received.length >= 64 + 27);
      socket.write(Buffer.from("000d01737761626265725f62616e73", "hex"));
      return subscriber;
    });
  }

  /** Stops reading, so that the publisher's queue fills. */
  pause(): void {
    this.#socket.pause();
  }

  close(): void {
    this.#socket.destroy();
  }
}

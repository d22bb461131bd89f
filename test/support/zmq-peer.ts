import type { ChildProcess } from "node:child_process";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { CurveKeys } from "../../src/bus/zmq/curve-keys.ts";
import type { Namespace } from "./namespace.ts";
import { until } from "./waiting.ts";

export interface PeerOptions {
  readonly kind: "pub" | "sub";
  readonly bind?: readonly string[];
  readonly connect?: readonly string[];
  readonly topics?: readonly string[];
  /** A server has no `serverKey`. */
  readonly curve?: CurveKeys & { readonly serverKey?: string };
}

/** A peer over Debian's python3-zmq: the libzmq of other programs. */
export class ZmqPeer {
  readonly messages: Buffer[][] = [];
  readonly #process: ChildProcess;
  #output = "";
  #isReady = false;

  private constructor(namespace: Namespace, options: PeerOptions) {
    this.#process = namespace.spawn(PYTHON, [PROGRAM, JSON.stringify(options)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#process.stdout?.on("data", (chunk: Buffer) => this.#take(chunk.toString()));
  }

  static async start(namespace: Namespace, options: PeerOptions): Promise<ZmqPeer> {
    const peer = new ZmqPeer(namespace, options);
    await until("the peer is ready", () => peer.#isReady);
    return peer;
  }

  send(...frames: readonly (string | Uint8Array)[]): void {
    const hex = frames.map((frame) => Buffer.from(frame as string).toString("hex"));
    this.#process.stdin?.write(`${JSON.stringify(hex)}\n`);
  }

  /** Messages of a topic, as text. */
  texts(topic: string): string[] {
    return this.messages
      .filter(([first]) => first?.toString() === topic)
      .map(([, second]) => second?.toString() ?? "");
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill("SIGKILL");
    await once(this.#process, "exit");
  }

  #take(text: string): void {
    const lines = (this.#output + text).split("\n");
    this.#output = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "ready") this.#isReady = true;
      else this.messages.push((JSON.parse(line) as string[]).map((hex) => Buffer.from(hex, "hex")));
    }
  }
}

/** Why the peer cannot run here; null when it can. */
export function peerFault(): string | null {
  return spawnSync(PYTHON, ["-c", "import zmq"]).status === 0 ? null : "needs python3-zmq";
}

/** Debian's Python, whichever one comes first in PATH. */
const PYTHON = "/usr/bin/python3";
const PROGRAM = fileURLToPath(new URL("zmq-peer.py", import.meta.url));

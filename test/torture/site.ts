import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { join as path } from "node:path";
import type { BanReply, StatusReply } from "../../src/api/wire.ts";
import { packageRoot } from "../../src/config/package-root.ts";
import { askNow } from "../support/ask-now.ts";
import { join, Namespace } from "../support/namespace.ts";
import { Listener } from "../support/packets.ts";
import { Home } from "../support/running-daemon.ts";
import { until } from "../support/waiting.ts";

/**
 * A server that runs Stoplog, and one machine that has every address of 10.0.0.0/8, each of which it can send packets from.
 *
 *      attacker 10.0.0.0/8 ──── 198.51.100.2   198.51.100.1 ──── server, which listens on port 22
 */
export class Site {
  readonly server = Namespace.create("torture");
  readonly home = new Home();
  /** Variables for the daemons that are launched from now on. */
  environment: Readonly<Record<string, string>> = {};
  readonly #attacker = Namespace.create("tormentor");
  #listener: Listener | null = null;
  #process: ChildProcess | null = null;
  /** Output of all daemons so far. */
  #log = "";

  static async open(yaml: string): Promise<Site> {
    const site = new Site();
    join(
      { namespace: site.server, addresses: ["198.51.100.1/24"] },
      { namespace: site.#attacker, addresses: ["198.51.100.2/24"] },
    );
    site.server.run("ip", "route", "add", "10.0.0.0/8", "via", "198.51.100.2");
    site.#attacker.run("ip", "route", "add", "local", "10.0.0.0/8", "dev", "lo");
    site.#listener = await Listener.open(site.server, 22);
    site.home.configure(yaml);
    return site;
  }

  get log(): string {
    return this.#log;
  }

  get isRunning(): boolean {
    return this.#process !== null;
  }

  /** Starts the daemon and does not wait for it. */
  launch(...args: readonly string[]): void {
    const socket = this.home.file("control.sock");
    const config = this.home.file("stoplog.yaml");
    const variables = Object.entries(this.environment).map(([name, value]) => `${name}=${value}`);
    const command = [STOPLOG, "run", "-c", config, "--socket", socket, ...args];
    const child = this.server.spawn("env", [...variables, ...command]);
    const take = (chunk: Buffer): void => {
      this.#log = (this.#log + chunk.toString()).slice(-MOST_LOG);
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    child.on("close", () => {
      if (this.#process === child) this.#process = null;
    });
    this.#process = child;
  }

  /** Resolves when the daemon has read its configuration and state, and reads its sources. */
  async started(): Promise<void> {
    await until(
      "the daemon is started",
      () => this.#process === null || (this.status()?.state ?? "starting") !== "starting",
      () => this.#log,
    );
    if (this.#process === null) throw new Error(`the daemon ended: ${this.#log.slice(-2000)}`);
  }

  /** Null while it does not answer. */
  status(): StatusReply | null {
    return this.#ask("/v1/status") as StatusReply | null;
  }

  bans(): readonly BanReply[] {
    return (this.#ask("/v1/bans") ?? []) as BanReply[];
  }

  /** Runs another stoplog command against this daemon. */
  command(...args: readonly string[]): Promise<{ readonly status: number | null; readonly output: string }> {
    const child = spawn(STOPLOG, [...args, "--socket", this.home.file("control.sock")]);
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    return new Promise((resolve) => child.on("close", (status) => resolve({ status, output })));
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.signal(signal);
    await until(
      `the daemon ends by ${signal}`,
      () => this.#process === null,
      () => this.#log,
    );
  }

  /** Whether a connection from this address is answered within half a second. */
  async passes(address: string): Promise<boolean> {
    return this.#attacker.inside(async () => {
      const socket = connect({ host: "198.51.100.1", port: 22, localAddress: address });
      const connected = new Promise<boolean>((resolve) => {
        socket.once("connect", () => resolve(true));
        socket.once("error", () => resolve(false));
      });
      await nextTurn();
      try {
        return await Promise.race([connected, sleep(PATIENCE_MS, false)]);
      } finally {
        socket.resetAndDestroy();
      }
    });
  }

  async close(): Promise<void> {
    if (this.isRunning) await this.end("SIGKILL");
    this.#listener?.close();
    this.#attacker.remove();
    this.server.remove();
    this.home.remove();
  }

  #ask(document: string): unknown {
    try {
      return askNow(this.home.file("control.sock"), document);
    } catch {
      return null;
    }
  }
}

const STOPLOG = path(packageRoot(), "bin", "stoplog");
const MOST_LOG = 100_000;
const PATIENCE_MS = 500;

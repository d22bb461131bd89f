import { type ChildProcess, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ListedBan, StatusReply } from "../../src/api/wire.ts";
import { packageRoot } from "../../src/config/package-root.ts";
import { askNow } from "./ask-now.ts";
import type { Namespace } from "./namespace.ts";
import { until } from "./waiting.ts";

const STOPLOG = join(packageRoot(), "bin", "stoplog");

/** A temporary folder for a daemon's configuration, logs, state and socket. */
export class Home {
  readonly path = mkdtempSync(join(tmpdir(), "stoplog-home-"));

  file(name: string): string {
    return join(this.path, name);
  }

  /** Writes the configuration; `HOME` in the text becomes the folder's path. */
  configure(yaml: string): void {
    writeFileSync(this.file("stoplog.yaml"), yaml.replaceAll("HOME", this.path));
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** The real program, as a user runs it, in a namespace. */
export class RunningDaemon {
  readonly #home: Home;
  readonly #namespace: Namespace;
  readonly #process: ChildProcess;
  #log = "";
  #ended: number | NodeJS.Signals | null = null;
  #stopped: number | null = null;

  private constructor(
    home: Home,
    namespace: Namespace,
    args: readonly string[],
    command: readonly string[],
    descriptors: readonly number[] = [],
  ) {
    this.#home = home;
    this.#namespace = namespace;
    const [program = STOPLOG, ...before] = command;
    this.#process = namespace.spawn(
      program,
      [...before, "run", "-c", home.file("stoplog.yaml"), "--socket", home.file("control.sock"), ...args],
      { stdio: ["pipe", "pipe", "pipe", ...descriptors] },
    );
    running.add(this.#process);
    const take = (chunk: Buffer): void => {
      this.#log += chunk.toString();
    };
    this.#process.stderr?.on("data", take);
    this.#process.stdout?.on("data", take);
    this.#process.on("close", (code, signal) => {
      this.#ended = code ?? signal;
      running.delete(this.#process);
    });
  }

  /**
   * Starts it and waits until it watches. `command` replaces bin/stoplog, to run it under setpriv for instance. `sockets` are descriptors that it gets as
   * from systemd.
   */
  static async start(
    home: Home,
    namespace: Namespace,
    {
      args = [],
      command = [],
      sockets = [],
    }: {
      readonly args?: readonly string[];
      readonly command?: readonly string[];
      readonly sockets?: readonly number[];
    } = {},
  ): Promise<RunningDaemon> {
    const activate = `LISTEN_PID=$$ LISTEN_FDS=${sockets.length} exec "$0" "$@"`;
    const activated = sockets.length === 0 ? command : ["sh", "-c", activate, STOPLOG];
    const daemon = new RunningDaemon(home, namespace, args, activated, sockets);
    try {
      await until(
        "the daemon watches",
        () => daemon.log.includes(" watches ") || daemon.ended !== null,
        () => daemon.log,
      );
    } catch (thrown) {
      daemon.#process.kill("SIGKILL");
      throw thrown;
    }
    if (daemon.ended !== null) throw new Error(`the daemon ended with ${daemon.ended}: ${daemon.log}`);
    return daemon;
  }

  /** Starts a daemon that must not start, and waits for its end. */
  static async fail(
    home: Home,
    namespace: Namespace,
    {
      args = [],
      command = [],
    }: { readonly args?: readonly string[]; readonly command?: readonly string[] } = {},
  ): Promise<{ readonly status: number | NodeJS.Signals | null; readonly log: string }> {
    const daemon = new RunningDaemon(home, namespace, args, command);
    await until(
      "the daemon ends",
      () => daemon.ended !== null,
      () => daemon.log,
    );
    return { status: daemon.ended, log: daemon.log };
  }

  get log(): string {
    return this.#log;
  }

  get ended(): number | NodeJS.Signals | null {
    return this.#ended;
  }

  get pid(): number {
    return this.status().pid;
  }

  /** Runs another stoplog command against this daemon. */
  command(...args: readonly string[]): {
    readonly status: number | null;
    readonly output: string;
    readonly error: string;
  } {
    const done = spawnSync(STOPLOG, [...args, "--socket", this.#home.file("control.sock")], {
      encoding: "utf8",
    });
    return { status: done.status, output: done.stdout, error: done.stderr };
  }

  status(): StatusReply {
    return askNow(this.#home.file("control.sock"), "/v1/status") as StatusReply;
  }

  bans(): readonly ListedBan[] {
    return askNow(this.#home.file("control.sock"), "/v1/bans") as ListedBan[];
  }

  banned(): readonly string[] {
    return this.bans().map((ban) => ban.address);
  }

  /** The ruleset as nft shows it: an independent witness. */
  ruleset(): string {
    return this.#namespace.run("nft", "list", "ruleset");
  }

  signal(signal: NodeJS.Signals): void {
    const { pid } = this;
    // A stopped process cannot answer the question for its number.
    if (signal === "SIGSTOP") this.#stopped = pid;
    process.kill(pid, signal);
  }

  /** Continues after SIGSTOP. */
  resume(): void {
    if (this.#ended === null && this.#stopped !== null) process.kill(this.#stopped, "SIGCONT");
    this.#stopped = null;
  }

  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (this.#ended !== null) return;
    this.signal(signal);
    await until(
      `the daemon ends by ${signal}`,
      () => this.#ended !== null,
      () => this.#log,
    );
  }
}

/** A test that failed or timed out may leave its daemon running. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

import type { ChildProcess } from "node:child_process";
import type { DebianTree } from "./debian-tree.ts";
import { until } from "./waiting.ts";

/** The unit runs it with the same user, privilege and state directory. */
const AS_THE_UNIT =
  "setpriv --reuid=stoplog --regid=stoplog --init-groups --no-new-privs --inh-caps=-all,+net_admin --ambient-caps=-all,+net_admin env STATE_DIRECTORY=/var/lib/stoplog stoplog run";

/** The daemon of an installed package. */
export class RunningInTree {
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  log = "";

  private constructor(tree: DebianTree) {
    this.#process = tree.spawn(...AS_THE_UNIT.split(" "));
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream?.on("data", (chunk: Buffer) => (this.log += chunk.toString()));
    this.#ended = new Promise((resolve) => this.#process.on("close", () => resolve()));
  }

  static async start(tree: DebianTree): Promise<RunningInTree> {
    const daemon = new RunningInTree(tree);
    await until(
      "the daemon watches",
      () => daemon.log.includes(" watches "),
      () => daemon.log,
    );
    return daemon;
  }

  async end(): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#ended;
  }
}

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Namespace } from "./namespace.ts";

/** Datagrams that arrive at a steady rate from a process of its own (steady-lines.ts). */
export class LineFlow {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #output = "";

  constructor(
    namespace: Namespace,
    task: { readonly to: string; readonly perSecond: number; readonly most: number; readonly net?: number },
  ) {
    const script = ["scripts/run-ts.mjs", "test/support/steady-lines.ts", JSON.stringify(task)];
    this.#child = namespace.spawn(process.execPath, script, { stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdout?.on("data", (chunk: Buffer) => (this.#output += chunk.toString()));
    this.#ended = once(this.#child, "close");
  }

  /** Waits until all are sent. Returns how many. */
  async end(): Promise<number> {
    await this.#ended;
    return Number(this.#output);
  }

  /** Ends the flow. Returns how many were sent. */
  stop(): Promise<number> {
    this.#child.stdin?.end();
    return this.end();
  }
}

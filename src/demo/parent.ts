import { createInterface } from "node:readline";
import type { Io } from "../cli/output/io.ts";

/**
 * The connection of a part to the director:
 *
 *      part ──► {"ready":true}   {"second":1,…}   {"second":2,…}      (a line of JSON each, on standard output)
 *      part ◄── {"start":1795182448123}                               (on standard input; the part ends with it)
 */
export class Parent {
  readonly #io: Io;
  readonly #gone = new AbortController();

  constructor(io: Io) {
    this.#io = io;
    // The director has ended: no part stays behind.
    io.stdin.on("end", () => this.#gone.abort());
    io.stdout.on("error", () => this.#gone.abort());
  }

  /** Aborts when the director has ended. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  tell(report: object): void {
    this.#io.stdout.write(`${JSON.stringify(report)}\n`);
  }

  /** Reports that the part is ready, and waits for the start, in ms since the epoch. */
  start(): Promise<number> {
    this.tell({ ready: true });
    const lines = createInterface({ input: this.#io.stdin });
    return new Promise((resolve) => {
      lines.once("line", (line) => resolve((JSON.parse(line) as { readonly start: number }).start));
      // No start: beat() checks `gone`.
      lines.once("close", () => resolve(Infinity));
    });
  }

  /** Reports that the part is ready, and resolves when the director ends. */
  async serve(): Promise<void> {
    this.tell({ ready: true });
    this.#io.stdin.resume();
    if (this.gone.aborted) return;
    await new Promise((resolve) => this.gone.addEventListener("abort", resolve, { once: true }));
  }
}

import { createInterface } from "node:readline";
import type { Io } from "../cli/output/io.ts";

/**
 * The director as one of its parts sees it:
 *
 *      part ──► {"ready":true}   {"second":1,…}   {"second":2,…}      (a line of JSON each, on standard output)
 *      part ◄── {"start":1795182448123}                               (on standard input, whose end is the part's end)
 */
export class Parent {
  readonly #io: Io;
  readonly #gone = new AbortController();

  constructor(io: Io) {
    this.#io = io;
    // The director is gone, whatever happened to it: no part stays behind.
    io.stdin.on("end", () => this.#gone.abort());
    io.stdout.on("error", () => this.#gone.abort());
  }

  /** Says when there is nobody left to work for. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  tell(report: object): void {
    this.#io.stdout.write(`${JSON.stringify(report)}\n`);
  }

  /** Says that everything is ready, and waits to be told when to begin, in milliseconds since the epoch. */
  start(): Promise<number> {
    this.tell({ ready: true });
    const lines = createInterface({ input: this.#io.stdin });
    return new Promise((resolve) => {
      lines.once("line", (line) => resolve((JSON.parse(line) as { readonly start: number }).start));
      // Never, then: beat() looks at `gone`.
      lines.once("close", () => resolve(Infinity));
    });
  }

  /** Says that everything is ready, and resolves when it is over. */
  async serve(): Promise<void> {
    this.tell({ ready: true });
    this.#io.stdin.resume();
    if (this.gone.aborted) return;
    await new Promise((resolve) => this.gone.addEventListener("abort", resolve, { once: true }));
  }
}

import type { Readable } from "node:stream";
import type { LineSink } from "../../core/batch.ts";
import { cannot } from "../../core/errors.ts";
import { DEFAULT_MAX_LINE, LineStream } from "../line-splitter.ts";
import { newSourceStats, type Source } from "../source.ts";
import { Stretch } from "../stretch.ts";
import type { StdinOptions } from "./kind.ts";

/** Reads lines from standard input until it ends. */
export class StdinSource implements Source {
  readonly kind = "stdin";
  readonly name: string;
  readonly stats = newSourceStats();
  readonly #maxLine: number;
  readonly #open: () => Readable;

  /** `open` is for tests. It is called when the source runs, not before. */
  constructor(name: string, options: StdinOptions, open: () => Readable = () => process.stdin) {
    this.name = name;
    this.#maxLine = options.maxLine ?? DEFAULT_MAX_LINE;
    this.#open = open;
  }

  async run(sink: LineSink, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const input = this.#open();
    const lines = new LineStream(sink, this.stats, this.#maxLine);
    const stretch = new Stretch(input);
    this.stats.state = "reads standard input";
    try {
      await new Promise<void>((resolve, reject) => {
        input.on("data", (chunk: Buffer) => {
          if (!signal.aborted) stretch.work(() => lines.push(chunk));
        });
        input.on("end", resolve);
        input.on("error", (thrown) => reject(cannot("read standard input", thrown)));
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
      if (!signal.aborted) lines.flush();
    } finally {
      stretch.end();
      // Otherwise an open pipe would keep the process alive.
      input.destroy();
      this.stats.state = signal.aborted ? "stopped" : "ended";
    }
  }

  position(): null {
    return null;
  }
}

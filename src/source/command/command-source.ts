import type { LineSink } from "../../core/batch.ts";
import { StoplogError } from "../../core/errors.ts";
import { DEFAULT_MAX_LINE, LineStream } from "../line-splitter.ts";
import { newSourceStats, type Source } from "../source.ts";
import { runProgram } from "../../core/run-program.ts";
import { inStretches } from "../stretch.ts";
import type { CommandOptions } from "./kind.ts";

/** Reads lines from a program's standard output. The exit of the program is a failure, so the supervisor starts it again. */
export class CommandSource implements Source {
  readonly kind = "command";
  readonly name: string;
  readonly stats = newSourceStats();
  readonly #argv: readonly string[];
  readonly #maxLine: number;

  constructor(name: string, options: CommandOptions) {
    if (!options.command[0]) throw new StoplogError(`Cannot read from source ${name}: its command is empty`);
    this.name = name;
    this.#argv = options.command;
    this.#maxLine = options.maxLine ?? DEFAULT_MAX_LINE;
  }

  async run(sink: LineSink, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const lines = new LineStream(sink, this.stats, this.#maxLine);
    const [program] = this.#argv;
    const ended = await runProgram(this.#argv, {
      onStart: () => (this.stats.state = `reads from ${program}`),
      onStdout: (stream) => inStretches(stream, (chunk) => lines.push(chunk)),
      stopsLeftovers: true,
      signal,
    });
    this.stats.state = "stopped";
    if (ended.how === "aborted") return;
    lines.flush();
    throw new StoplogError(`Cannot read from ${program}: ${ended.fact ?? `${program} exited with 0`}`);
  }

  /** None: a program has no position to restore. */
  position(): null {
    return null;
  }
}

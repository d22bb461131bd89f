import { StoplogError } from "../core/errors.ts";
import { parsePrefix, type Prefix } from "../core/prefix.ts";
import { DONE, type ExitStatus, type Io, Output } from "./output/io.ts";
import { socketPathOf } from "./socket-path.ts";
import { jsonText } from "../core/printable.ts";
import { type Style, styleFor } from "./output/terminal.ts";

/** What every command gets: input and output, and the exit status that it sets. */
export class Cli {
  readonly io: Io;
  readonly out: Output;
  readonly style: Style;
  status: ExitStatus = DONE;

  constructor(io: Io) {
    this.io = io;
    this.out = new Output(io.stdout);
    this.style = styleFor(io);
  }

  /** Wraps a command's work for commander; its result becomes the exit status. */
  act<Arguments extends unknown[]>(
    work: (...given: Arguments) => Promise<ExitStatus>,
  ): (...given: Arguments) => Promise<void> {
    return async (...given) => {
      this.status = await work(...given);
    };
  }

  /** The control socket: `--socket`, else the environment, else the default. */
  socketPath(options: { readonly socket?: string }): string {
    return socketPathOf(options, this.io.env);
  }

  async json(value: unknown): Promise<void> {
    await this.out.write(`${jsonText(value)}\n`);
  }
}

/** Reads all addresses and networks before anything is done. */
export function parseAddresses(texts: readonly string[]): readonly Prefix[] {
  return texts.map((text) => {
    const prefix = parsePrefix(text);
    if (prefix === null)
      throw new StoplogError(`Cannot read the address: '${text}' is not an IP address or network`);
    return prefix;
  });
}

import { existsSync } from "node:fs";
import { StoplogError } from "../core/errors.ts";
import { CONFIG_PATH, controlSocketPath, MAX_SOCKET_PATH } from "../core/paths.ts";
import { parsePrefix, type Prefix } from "../core/prefix.ts";
import { DONE, type ExitStatus, type Io, Output } from "./output/io.ts";
import { jsonText } from "../core/printable.ts";
import { type Style, styleFor } from "./output/terminal.ts";

/** What every command is handed: the world around it, and the status it leaves behind. */
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

  /** A command's work as commander calls it; what it answers becomes the exit status. */
  act<Arguments extends unknown[]>(
    work: (...given: Arguments) => Promise<ExitStatus>,
  ): (...given: Arguments) => Promise<void> {
    return async (...given) => {
      this.status = await work(...given);
    };
  }

  /** Where the daemon listens: what `--socket` says, else what the surroundings say. */
  socketPath(options: { readonly socket?: string }): string {
    const surroundings = { env: this.io.env, root: process.geteuid?.() === 0, exists: existsSync };
    const path = options.socket ?? controlSocketPath(surroundings);
    if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return path;
    throw new StoplogError(`Cannot use the socket ${path}: its path is longer than ${MAX_SOCKET_PATH} bytes`);
  }

  async json(value: unknown): Promise<void> {
    await this.out.write(`${jsonText(value)}\n`);
  }
}

/** The configuration to read: what `-c` says even if it is not there, the system's if it is, else null for the built-in one. */
export function configPath(options: { readonly config?: string }): string | null {
  if (options.config !== undefined) return options.config;
  return existsSync(CONFIG_PATH) ? CONFIG_PATH : null;
}

/** Addresses and networks as an operator types them; one that is none is refused before anything is done. */
export function parseAddresses(texts: readonly string[]): readonly Prefix[] {
  return texts.map((text) => {
    const prefix = parsePrefix(text);
    if (prefix === null)
      throw new StoplogError(`Cannot read the address: '${text}' is no address and no network`);
    return prefix;
  });
}

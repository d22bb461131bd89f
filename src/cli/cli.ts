import { existsSync } from "node:fs";
import type { ConfigPlace } from "../config/config-place.ts";
import { StoplogError } from "../core/errors.ts";
import { CONFIG_PATH, controlSocketPath, MAX_SOCKET_PATH } from "../core/paths.ts";
import { parsePrefix, type Prefix } from "../core/prefix.ts";
import { DONE, type ExitStatus, type Io, Output } from "./output/io.ts";
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
    const environment = { env: this.io.env, root: process.geteuid?.() === 0, exists: existsSync };
    const path = options.socket ?? controlSocketPath(environment);
    if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return path;
    throw new StoplogError(`Cannot use the socket ${path}: its path is longer than ${MAX_SOCKET_PATH} bytes`);
  }

  async json(value: unknown): Promise<void> {
    await this.out.write(`${jsonText(value)}\n`);
  }
}

/** The configuration to read: `-c` even if that file is missing, else the system's if it exists, else null for the built-in one. */
export function configPath(options: { readonly config?: string }): string | null {
  if (options.config !== undefined) return options.config;
  return existsSync(CONFIG_PATH) ? CONFIG_PATH : null;
}

/** Where to read the configuration. With `--fail2ban`, only a file that `-c` names is read beside it. */
export function configPlace(options: { readonly config?: string; readonly fail2ban?: string }): ConfigPlace {
  const { config = null, fail2ban } = options;
  return fail2ban === undefined ? { file: configPath(options), fail2ban: null } : { file: config, fail2ban };
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

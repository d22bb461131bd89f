import { StoplogError } from "../core/errors.ts";
import { zmq } from "../bus/orders/kind.ts";
import { command } from "./command/kind.ts";
import { file } from "./file/kind.ts";
import { journal } from "./journal/kind.ts";
import type { SourceKind, SourceOptions } from "./kind.ts";
import { kmsg } from "./kmsg/kind.ts";
import { nflog } from "./nflog/kind.ts";
import type { Source, SourcePosition } from "./source.ts";
import { stdin } from "./stdin/kind.ts";
import { syslog } from "./syslog/kind.ts";

/** Every kind of source, in the order of the reference. */
export const SOURCE_KINDS: readonly SourceKind[] = [file, syslog, journal, kmsg, nflog, zmq, command, stdin];

/** The kind of a source. Throws a StoplogError when there is none of that name. */
export function kindOf({ type }: SourceOptions): SourceKind {
  const kind = SOURCE_KINDS.find(({ name }) => name === type);
  if (kind === undefined)
    throw new StoplogError(`Cannot open a source of type ${type}: there is no such type`);
  return kind;
}

/** Whether a source is of a kind. */
export function isKind<Options extends SourceOptions>(
  options: SourceOptions,
  kind: SourceKind<Options>,
): options is Options {
  return options.type === kind.name;
}

/**
 * Makes a source of lines; `saved` is its `position()` before a restart. Rejects with a StoplogError for options that no machine can
 * honour.
 */
export async function openSource<Options extends SourceOptions>(
  name: string,
  options: Options,
  saved: SourcePosition | null = null,
): Promise<Source> {
  const kind = kindOf(options);
  if (kind.gives === "lines") return kind.open(name, options, saved);
  throw new StoplogError(`Cannot read lines from source ${name}: it gives ${kind.gives}`);
}

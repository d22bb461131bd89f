import { StoplogError } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import { COULD_NOT, type ExitStatus, type Io } from "./output/io.ts";

/** Prints why a command could not do its work. */
export function failed(error: unknown, io: Pick<Io, "stderr">): ExitStatus {
  const text = error instanceof StoplogError ? error.message : stackOf(error);
  io.stderr.write(`${text.split("\n").map(printable).join("\n")}\n`);
  return COULD_NOT;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

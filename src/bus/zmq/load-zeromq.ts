import { createRequire } from "node:module";
import type * as zeromq from "zeromq";
import { cannot, factOf, StoplogError } from "../../core/errors.ts";

export type ZeroMq = typeof zeromq;

/** Loads the library on first use. Throws a StoplogError ('Cannot use ØMQ: …') if there is none for this machine. */
export function loadZeroMq(): ZeroMq {
  loaded ??= load();
  if (loaded instanceof StoplogError) throw loaded;
  return loaded;
}

let loaded: ZeroMq | StoplogError | undefined;

function load(): ZeroMq | StoplogError {
  try {
    // Imported at run time by name: zeromq is an optional dependency, and not part of the bundle.
    return createRequire(import.meta.url)("zeromq") as ZeroMq;
  } catch (thrown) {
    const missing = (thrown as NodeJS.ErrnoException | null)?.code === "MODULE_NOT_FOUND";
    return cannot("use ØMQ", missing ? "the package zeromq is not installed" : firstSentence(thrown));
  }
}

function firstSentence(thrown: unknown): string {
  return (factOf(thrown).split("\n")[0] ?? "").replace(/\.$/, "");
}

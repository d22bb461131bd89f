import { createRequire } from "node:module";
import type * as zeromq from "zeromq";
import { cannot, factOf, StoplogError } from "../../core/errors.ts";

export type ZeroMq = typeof zeromq;

/** The library, loaded when it is first asked for. Throws a StoplogError ('Cannot use ØMQ: …') when there is none for this machine. */
export function loadZeroMq(): ZeroMq {
  loaded ??= load();
  if (loaded instanceof StoplogError) throw loaded;
  return loaded;
}

let loaded: ZeroMq | StoplogError | undefined;

function load(): ZeroMq | StoplogError {
  try {
    // Asked for at run time and by name only: zeromq is an optional dependency, and the bundle leaves it outside.
    return createRequire(import.meta.url)("zeromq") as ZeroMq;
  } catch (thrown) {
    const missing = (thrown as NodeJS.ErrnoException | null)?.code === "MODULE_NOT_FOUND";
    return cannot("use ØMQ", missing ? "the package zeromq is not installed" : firstSentence(thrown));
  }
}

function firstSentence(thrown: unknown): string {
  return (factOf(thrown).split("\n")[0] ?? "").replace(/\.$/, "");
}

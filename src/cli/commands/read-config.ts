import type { Readable, Writable } from "node:stream";
import { serialize } from "node:v8";
import { usePrecompiled } from "../../config/precompile.ts";
import { readWhole } from "../../config/reading.ts";

/**
 * The process that the daemon starts to have a configuration read and compiled, so that it never loads what that takes. It is
 * told the path on standard input (nothing for the built-in configuration) and answers as V8 serializes it
 * (daemon/read-apart.ts). It starts while its parent still reads the command line, so everything is loaded when the path comes.
 */
export async function answerReading(input: Readable, output: Writable): Promise<void> {
  usePrecompiled();
  let path = "";
  for await (const chunk of input as AsyncIterable<Buffer>) path += chunk.toString();
  output.write(serialize(readWhole(path === "" ? null : path)));
}

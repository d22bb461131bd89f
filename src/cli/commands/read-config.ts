import type { Readable, Writable } from "node:stream";
import { serialize } from "node:v8";
import { usePrecompiled } from "../../config/precompile.ts";
import type { ConfigPlace } from "../../config/config-place.ts";
import { readWhole } from "../../config/reading.ts";
import { loadConfigFrom } from "../load-config.ts";

/**
 * The process that the daemon starts to have a configuration read and compiled, so that it never loads what that takes. It is
 * told the place on standard input (a ConfigPlace as JSON) and answers as V8 serializes it (daemon/read-apart.ts).
 */
export async function answerReading(input: Readable, output: Writable): Promise<void> {
  usePrecompiled();
  const chunks: Buffer[] = [];
  for await (const chunk of input as AsyncIterable<Buffer>) chunks.push(chunk);
  const place = JSON.parse(Buffer.concat(chunks).toString()) as ConfigPlace;
  output.write(serialize(readWhole(await loadConfigFrom(place))));
}

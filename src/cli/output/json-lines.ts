import { StoplogError } from "../../core/errors.ts";

/** The longest line, in characters: far above any ban, and a bound on what is held in memory. */
const MAX_LINE = 1024 * 1024;

/** The values of NDJSON whose text comes in chunks, as many at a time as a chunk completes. Throws a StoplogError for anything else. */
export async function* jsonLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly unknown[]> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MAX_LINE)
      throw new StoplogError(`Cannot read the daemon's answer: a line is longer than ${MAX_LINE} characters`);
    yield lines.map(valueOf);
  }
  if (rest !== "") yield [valueOf(rest)];
}

function valueOf(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch (error) {
    throw new StoplogError("Cannot read the daemon's answer: it is not NDJSON", { cause: error });
  }
}

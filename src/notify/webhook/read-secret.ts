import { open } from "node:fs/promises";
import { cannot, StoplogError } from "../../core/errors.ts";

/** A secret as it stands in a file, without the space around it. Read for each use, so that a new one needs no reload. */
export async function readSecret(path: string): Promise<string> {
  let text: string;
  try {
    const file = await open(path, "r");
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_BYTES), 0, MOST_BYTES, 0);
      text = buffer.toString("utf8", 0, bytesRead).trim();
    } finally {
      await file.close();
    }
  } catch (thrown) {
    throw cannot(`read ${path}`, thrown);
  }
  // A header ends at a line's end, and so would what follows.
  if (text === "" || /[^\x20-\x7e]/.test(text))
    throw new StoplogError(`Cannot read ${path}: it is not one line of plain text`);
  return text;
}

const MOST_BYTES = 4096;

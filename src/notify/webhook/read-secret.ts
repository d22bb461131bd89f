import { open } from "node:fs/promises";
import { cannot, StoplogError } from "../../core/errors.ts";

/** A secret from a file, without surrounding white space. Read for each use: a new secret needs no reload. */
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
  // A line break would end the header that carries the secret.
  if (text === "" || /[^\x20-\x7e]/.test(text))
    throw new StoplogError(`Cannot read ${path}: not one line of plain text`);
  return text;
}

const MOST_BYTES = 4096;

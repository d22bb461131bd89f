import { type FileHandle, open, rename, unlink } from "node:fs/promises";

/**
 * Writes a file, readable by its owner unless `mode` says otherwise, so that whoever opens it, at any moment and after any crash, finds either the old or the new whole: a temporary
 * file beside it, synced, then renamed over it. Lines are asked for a thousand at a time, and others get their turn between.
 * Answers how many there were.
 */
export async function replaceFile(path: string, lines: Iterable<string>, mode = 0o600): Promise<number> {
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", mode);
  let written: number;
  try {
    written = await writeLines(file, lines);
    await file.sync();
  } catch (error) {
    await file.close();
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await file.close();
  await rename(temporary, path);
  return written;
}

/** Lines written at once. */
const PIECE = 1000;

async function writeLines(file: FileHandle, lines: Iterable<string>): Promise<number> {
  let written = 0;
  let piece: string[] = [];
  for (const line of lines) {
    piece.push(line);
    written++;
    if (piece.length < PIECE) continue;
    await file.write(piece.join(""));
    piece = [];
  }
  await file.write(piece.join(""));
  return written;
}

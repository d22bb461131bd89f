import { type FileHandle, open, rename, rm, unlink } from "node:fs/promises";

export interface ReplaceOptions {
  /** Default 0600. */
  readonly mode?: number;
  /** Its owner, if that is not the user of this process. */
  readonly uid?: number;
  readonly gid?: number;
  /** Default `utf8`; `latin1` for text with one character a byte. */
  readonly encoding?: "utf8" | "latin1";
  /** Awaited before the new file takes the place of the old one, which stays if this rejects. */
  readonly ready?: () => Promise<void>;
}

/**
 * Replaces a file atomically: readers find the old or the new content as a whole, after a crash too. Writes a temporary file
 * beside it, syncs it and renames it. Gives up its turn of the event loop after each 64 KiB. Returns the number of pieces.
 */
export async function replaceFile(
  path: string,
  lines: Iterable<string>,
  options: ReplaceOptions = {},
): Promise<number> {
  const temporary = `${path}.new`;
  const { mode = 0o600, uid, gid, encoding = "utf8", ready } = options;
  // Never follows a link at that path: another user may have put it there.
  await rm(temporary, { force: true });
  const file = await open(temporary, "wx", mode);
  let written: number;
  try {
    await file.chmod(mode); // open() applies the umask
    if (uid !== undefined && gid !== undefined) await file.chown(uid, gid);
    written = await writeLines(file, lines, encoding);
    await file.sync();
    await ready?.();
  } catch (error) {
    await file.close();
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await file.close();
  await rename(temporary, path);
  return written;
}

/** Characters written at once. */
const PIECE = 64 * 1024;

/** By `appendFile`: on a disk that is nearly full, `write` stops after a part of the text without an error. */
async function writeLines(
  file: FileHandle,
  lines: Iterable<string>,
  encoding: BufferEncoding,
): Promise<number> {
  let written = 0;
  let characters = 0;
  let piece: string[] = [];
  for (const line of lines) {
    piece.push(line);
    characters += line.length;
    written++;
    if (characters < PIECE) continue;
    await file.appendFile(piece.join(""), encoding);
    piece = [];
    characters = 0;
  }
  await file.appendFile(piece.join(""), encoding);
  return written;
}

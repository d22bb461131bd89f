import { type FileHandle, open, rename, rm, unlink } from "node:fs/promises";

export interface ReplaceOptions {
  /** 0600 unless given. */
  readonly mode?: number;
  /** Who owns it, when that is not who writes it. */
  readonly uid?: number;
  readonly gid?: number;
  /** `utf8` unless given; `latin1` for text that is one character a byte. */
  readonly encoding?: "utf8" | "latin1";
}

/**
 * Writes a file so that whoever opens it, at any moment and after any crash, finds either the old or the new whole: a temporary
 * file beside it, synced, then renamed over it. Lines are asked for by the 64 KiB, and others get their turn between.
 * Answers how many there were.
 */
export async function replaceFile(
  path: string,
  lines: Iterable<string>,
  options: ReplaceOptions = {},
): Promise<number> {
  const temporary = `${path}.new`;
  const { mode = 0o600, uid, gid, encoding = "utf8" } = options;
  // What is there is not written through: a link that another user put there would lead elsewhere.
  await rm(temporary, { force: true });
  const file = await open(temporary, "wx", mode);
  let written: number;
  try {
    await file.chmod(mode); // open() takes the umask off
    if (uid !== undefined && gid !== undefined) await file.chown(uid, gid);
    written = await writeLines(file, lines, encoding);
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

/** Characters written at once. */
const PIECE = 64 * 1024;

/** By `appendFile`, which goes on where a disk that is nearly full took a part; `write` would be content with it. */
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

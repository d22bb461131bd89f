import { open, rename, unlink } from "node:fs/promises";

/**
 * Writes a file so that whoever opens it, at any moment and after any crash, finds either the old or the new whole: a temporary
 * file beside it, synced, then renamed over it.
 */
export async function replaceFile(path: string, chunks: Iterable<string>): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", 0o600);
  try {
    for (const chunk of chunks) await file.write(chunk);
    await file.sync();
  } catch (error) {
    await file.close();
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await file.close();
  await rename(temporary, path);
}

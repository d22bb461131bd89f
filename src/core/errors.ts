/**
 * An error the user can act on. The message is one sentence: 'Cannot X: fact', capital first, no full stop.
 * Anything that is not a StoplogError is a bug of ours and shows its stack.
 */
export class StoplogError extends Error {
  override readonly name = "StoplogError";
}

/** `Cannot ${what}: ${fact}`, the fact taken from whatever was thrown. */
export function cannot(what: string, cause: unknown): StoplogError {
  const options = cause instanceof Error ? { cause } : {};
  return new StoplogError(`Cannot ${what}: ${factOf(cause)}`, options);
}

/** What went wrong, in words a user knows: system errors lose their code and call, ours lose nothing. */
export function factOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const code = (thrown as NodeJS.ErrnoException).code;
  return (code === undefined ? undefined : FACTS[code]) ?? (thrown.message || thrown.name);
}

const FACTS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "the address is in use",
  EADDRNOTAVAIL: "the address is not one of this machine's",
  ECONNREFUSED: "nobody listens there",
  EISDIR: "it is a directory",
  EMFILE: "too many files are open",
  ENOENT: "no such file or directory",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of the path is not a directory",
  EPERM: "operation not permitted",
  EROFS: "the file system is read-only",
};

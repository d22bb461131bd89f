/**
 * An error that the user can act on. Its message is one sentence: 'Cannot X: fact', with a capital and without a full stop.
 * Any other error is a bug, and is printed with its stack.
 */
export class StoplogError extends Error {
  override readonly name = "StoplogError";
}

/** `Cannot ${what}: ${fact}`, with the fact of the error that was thrown. */
export function cannot(what: string, cause: unknown): StoplogError {
  const options = cause instanceof Error ? { cause } : {};
  return new StoplogError(`Cannot ${what}: ${factOf(cause)}`, options);
}

/** What went wrong, in the user's words: without the code and call of a system error. */
export function factOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const code = (thrown as NodeJS.ErrnoException).code;
  return (code === undefined ? undefined : FACTS[code]) ?? (thrown.message || thrown.name);
}

const FACTS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "the address is in use",
  EADDRNOTAVAIL: "not an address of this machine",
  ECONNREFUSED: "connection refused",
  EEXIST: "something else is already there",
  EISDIR: "it is a directory",
  ELOOP: "its symbolic links form a loop, or it is a link where none is followed",
  EMFILE: "too many files are open",
  ENOENT: "no such file or directory",
  ENOSPC: "the disk is full",
  ENOTDIR: "part of the path is not a directory",
  EPERM: "operation not permitted",
  EROFS: "the file system is read-only",
};

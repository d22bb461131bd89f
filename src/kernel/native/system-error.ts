import { getSystemErrorMap } from "node:util";

/** An errno as Node throws it: with its name as `code`, and the kernel's words as message. */
export function systemError(errno: number): NodeJS.ErrnoException {
  const [code, message] = getSystemErrorMap().get(-errno) ?? [`E${errno}`, `error ${errno}`];
  return Object.assign(new Error(message), { code, errno });
}

// Linux's numbers on the architectures Node runs on (asm-generic/errno-base.h and errno.h; MIPS and SPARC differ).
export const EPERM = 1;
export const ENOENT = 2;
export const EINTR = 4;
export const EAGAIN = 11;
export const EINVAL = 22;
export const EBUSY = 16;
export const ENFILE = 23;
export const EPIPE = 32;
export const EOPNOTSUPP = 95;
export const ENOBUFS = 105;
export const ESTALE = 116;

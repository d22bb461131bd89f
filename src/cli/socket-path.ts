import { existsSync } from "node:fs";
import { StoplogError } from "../core/errors.ts";
import { controlSocketPath, MAX_SOCKET_PATH } from "../core/paths.ts";

/** The control socket: `--socket`, else the environment, else the default. */
export function socketPathOf(
  { socket }: { readonly socket?: string },
  env: Readonly<Record<string, string | undefined>>,
): string {
  const path = socket ?? controlSocketPath({ env, root: process.geteuid?.() === 0, exists: existsSync });
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return path;
  throw new StoplogError(`Cannot use the socket ${path}: its path is longer than ${MAX_SOCKET_PATH} bytes`);
}

import { existsSync } from "node:fs";
import { join } from "node:path";

/** Where the configuration is looked for when nobody names one. */
export const CONFIG_PATH = "/etc/stoplog/stoplog.yaml";

/** Where a daemon that runs as a service listens. */
export const SYSTEM_SOCKET_PATH = "/run/stoplog/control.sock";

/** The longest path of a UNIX socket in bytes: sun_path in linux/un.h holds 108 and a NUL. What is longer, libuv silently cuts off. */
export const MAX_SOCKET_PATH = 107;

/** What the choice of a socket depends on; handed in by tests. */
export interface PathsSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly root: boolean;
  readonly exists: (path: string) => boolean;
}

/**
 * The control socket, for the daemon and for its clients alike: what STOPLOG_SOCKET says, else the system's, else, for
 * somebody who is not root on a machine without a system's daemon, one in their own run-time directory.
 */
export function controlSocketPath(surroundings: PathsSurroundings = thisProcess()): string {
  const { env, root, exists } = surroundings;
  const named = env["STOPLOG_SOCKET"];
  if (named !== undefined && named !== "") return named;
  const own = env["XDG_RUNTIME_DIR"];
  const useOwn = !root && own !== undefined && own !== "" && !exists(SYSTEM_SOCKET_PATH);
  return useOwn ? join(own, "stoplog", "control.sock") : SYSTEM_SOCKET_PATH;
}

function thisProcess(): PathsSurroundings {
  return { env: process.env, root: process.geteuid?.() === 0, exists: existsSync };
}

import { existsSync } from "node:fs";
import { join } from "node:path";

/** Default path of the configuration. */
export const CONFIG_PATH = "/etc/stoplog/stoplog.yaml";

/** Control socket of a daemon that runs as a service. */
export const SYSTEM_SOCKET_PATH = "/run/stoplog/control.sock";

/** Longest path of a UNIX socket in bytes: sun_path in linux/un.h has 108 with its NUL. libuv silently truncates longer ones. */
export const MAX_SOCKET_PATH = 107;

/** What the choice of a socket depends on. */
export interface PathsSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly root: boolean;
  readonly exists: (path: string) => boolean;
}

/**
 * The control socket, the same for the daemon and its clients: STOPLOG_SOCKET, else the system's. A user other than root, on a machine
 * without a system daemon, gets a socket in their own run-time directory.
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

import { existsSync } from "node:fs";
import type { ConfigPlace } from "../config/config-place.ts";
import { CONFIG_PATH } from "../core/paths.ts";

/** The configuration to read: `-c` even if that file is missing, else the system's if it exists, else null for the built-in one. */
export function configPath(options: { readonly config?: string }): string | null {
  if (options.config !== undefined) return options.config;
  return existsSync(CONFIG_PATH) ? CONFIG_PATH : null;
}

/** Where to read the configuration. With `--fail2ban`, only a file that `-c` names is read beside it. */
export function configPlace(options: { readonly config?: string; readonly fail2ban?: string }): ConfigPlace {
  const { config = null, fail2ban } = options;
  return fail2ban === undefined ? { file: configPath(options), fail2ban: null } : { file: config, fail2ban };
}

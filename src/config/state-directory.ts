/** The state directory of a configuration that names none: systemd's, else root's; null for none. */
export function defaultStateDirectory(
  isRoot: boolean,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | null {
  // With several of them, separated by colons (systemd.exec(5)), the first is ours.
  const given = env["STATE_DIRECTORY"]?.split(":")[0] ?? "";
  if (given.startsWith("/")) return given;
  return isRoot ? "/var/lib/stoplog" : null;
}

/** Said at the start and in the status, unless the configuration has `state: false`. */
export const NO_STATE =
  "there is no state directory: bans, counters and read positions do not survive a restart (set state, or STATE_DIRECTORY)";

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { unpackedAt } from "../../scripts/debian-packages.mjs";

const PROMTOOL = join(unpackedAt("prometheus"), "usr/bin/promtool");

/** Why promtool cannot be run here; null when it can. */
export const promtoolFault = existsSync(PROMTOOL) ? null : "needs Debian's prometheus (npm test unpacks it)";

/** What promtool says to some input; empty when it has no complaint. */
export function promtool(args: readonly string[], input = ""): string {
  const { status, stdout, stderr, error } = spawnSync(PROMTOOL, args, { input, encoding: "utf8" });
  if (error !== undefined) throw error;
  return status === 0 ? "" : `${stdout}${stderr}`;
}

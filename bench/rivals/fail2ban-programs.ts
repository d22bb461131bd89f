import { existsSync } from "node:fs";
import { join } from "node:path";
import { unpackedAt } from "../../scripts/debian-packages.mjs";
import { findProgram } from "../harness/program.ts";

/** The command of fail2ban's server: the installed one, or the one that `npm test` has unpacked; null without both. */
export function fail2banServer(): readonly string[] | null {
  if (findProgram("fail2ban-server") !== null) return ["fail2ban-server"];
  return existsSync(UNPACKED) ? unpacked("fail2ban-server") : null;
}

/** The command of its client. */
export function fail2banClient(): readonly string[] {
  return findProgram("fail2ban-client") === null ? unpacked("fail2ban-client") : ["fail2ban-client"];
}

/** Its filters and actions, where the package has them; none is copied. */
export function fail2banFiles(): string {
  return existsSync("/etc/fail2ban") ? "/etc/fail2ban" : join(UNPACKED, "etc/fail2ban");
}

const UNPACKED = unpackedAt("fail2ban");
const MODULES = "usr/lib/python3/dist-packages";

function unpacked(program: string): readonly string[] {
  const modules = [UNPACKED, unpackedAt("python3-pyinotify")].map((folder) => join(folder, MODULES));
  return [
    "/usr/bin/env",
    `PYTHONPATH=${modules.join(":")}`,
    "/usr/bin/python3",
    join(UNPACKED, "usr/bin", program),
  ];
}

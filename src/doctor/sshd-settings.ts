import type { Host } from "./host.ts";

/** The value of a keyword in sshd's configuration, and its file. */
export interface SshdSetting {
  readonly value: string;
  readonly path: string;
}

/** Global keywords, in lower case, with their first value: that is the one that counts (sshd_config(5)). */
export function readSshd(host: Host): ReadonlyMap<string, SshdSetting> | null {
  if (host.read(MAIN) === null) return null;
  const settings = new Map<string, SshdSetting>();
  take(host, MAIN, settings, 0);
  return settings;
}

const MAIN = "/etc/ssh/sshd_config";

/** sshd's own bound. */
const MAX_DEPTH = 16;

/** Reads up to the first Match: what follows is conditional. A Match in an included file ends with that file. */
function take(host: Host, path: string, settings: Map<string, SshdSetting>, depth: number): void {
  for (const line of (host.read(path) ?? "").split("\n")) {
    const [, keyword = "", rest = ""] = /^\s*([A-Za-z]\w*)(?:\s*=\s*|\s+)(.*)$/.exec(line) ?? [];
    const key = keyword.toLowerCase();
    if (key === "match") return;
    if (key === "include" && depth < MAX_DEPTH) {
      for (const pattern of rest.trim().split(/\s+/)) {
        const included = host.find(pattern.startsWith("/") ? pattern : `/etc/ssh/${pattern}`);
        for (const file of included) take(host, file, settings, depth + 1);
      }
    } else if (key !== "" && !settings.has(key)) {
      settings.set(key, { value: rest.trim().replace(/^"(.*)"$/, "$1"), path });
    }
  }
}

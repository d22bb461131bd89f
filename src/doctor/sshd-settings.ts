import type { Host } from "./host.ts";

/** Keywords of sshd's configuration that hold for everybody, in lower case, with what stands first, which is what counts (sshd_config(5)). */
export function readSshd(host: Host): ReadonlyMap<string, string> | null {
  const main = host.read(MAIN);
  if (main === null) return null;
  const settings = new Map<string, string>();
  take(host, main, settings, 0);
  return settings;
}

const MAIN = "/etc/ssh/sshd_config";

/** As sshd itself has it. */
const MAX_DEPTH = 16;

/** Up to the first Match, behind which all is for some only. Answers false when one came. */
function take(host: Host, text: string, settings: Map<string, string>, depth: number): boolean {
  for (const line of text.split("\n")) {
    const [, keyword = "", rest = ""] = /^\s*([A-Za-z]\w*)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(line) ?? [];
    const key = keyword.toLowerCase();
    if (key === "") continue;
    if (key === "match") return false;
    if (key !== "include") {
      if (!settings.has(key)) settings.set(key, rest.replace(/^"(.*)"$/, "$1"));
      continue;
    }
    if (depth === MAX_DEPTH) continue;
    for (const pattern of rest.split(/\s+/).filter(Boolean)) {
      const path = pattern.startsWith("/") ? pattern : `/etc/ssh/${pattern}`;
      // A Match in an included file ends with that file.
      for (const file of host.find(path)) take(host, host.read(file) ?? "", settings, depth + 1);
    }
  }
  return true;
}

import { readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Lines of the hosts.allow beside a hosts.deny that grant a service to all clients: services read it first, so bans of that service have no
 * effect. Read only when the file changed.
 */
export class HostsAllow {
  readonly #path: string | null;
  #mark = "";
  #lines: readonly string[] = [];

  /** A file with another name than hosts.deny has no hosts.allow beside it. */
  constructor(deny: string) {
    this.#path = basename(deny) === "hosts.deny" ? join(dirname(deny), "hosts.allow") : null;
  }

  /** Sentences about lines that concern these services. */
  obstacles(services: string): readonly string[] {
    if (this.#path === null) return [];
    try {
      const stat = statSync(this.#path, { throwIfNoEntry: false });
      const mark = stat === undefined ? "" : `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
      if (mark !== this.#mark)
        this.#lines = mark === "" ? [] : grantsToAll(readFileSync(this.#path, "latin1"));
      this.#mark = mark;
    } catch {
      // Services cannot read it either, and then grant nothing by it.
      this.#lines = [];
    }
    return this.#lines
      .filter((line) => concerns(line, services))
      .map(
        (line) =>
          `Banned addresses are let in: ${this.#path} has '${line.slice(0, 200)}', which services read first`,
      );
  }
}

/** Lines like `sshd: ALL`, as hosts_access(5) has them. One with EXCEPT does not grant to all. */
export function grantsToAll(text: string): readonly string[] {
  return text
    .replaceAll("\\\n", "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => {
      const [, clients, options = ""] = /^[^#:][^:]*:([^:]*)(?::(.*))?$/.exec(line) ?? [];
      if (clients === undefined || /\bEXCEPT\b/.test(line) || /\bdeny\b/i.test(options)) return false;
      return clients.split(/[\s,]+/).includes("ALL");
    });
}

function concerns(line: string, services: string): boolean {
  const granted = (line.split(":")[0] ?? "").split(/[\s,]+/);
  const ours = services.split(/[\s,]+/);
  return granted.includes("ALL") || ours.includes("ALL") || granted.some((one) => ours.includes(one));
}

import { request } from "node:http";
import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { SERVICES } from "../corpora/services.ts";
import { root } from "../harness/engine-bundle.ts";
import { Namespace } from "../harness/namespace.ts";
import type { DaemonRival } from "./daemon.ts";

/** Stoplog as installed: its launcher, its bundle, a filter of its library, state on disk. */
export const stoplogDaemon: DaemonRival = {
  missing: () => Namespace.missing(),
  note: "the daemon itself, its library's filter, nftables through its own messages, state kept on disk",
  table: "stoplog",
  prepare(folder, log, { service, maxretry }) {
    const file = join(folder, "stoplog.yaml");
    const jail = {
      sources: ["log"],
      filter: SERVICES[service].filter,
      maxretry,
      findtime: "10m",
      bantime: "1h",
      // As the rivals count. The bench looks for each address in the kernel.
      ipv6_prefix: 128,
    };
    const config = {
      sources: { log: { type: "file", path: log } },
      jails: { bench: jail },
      state: join(folder, "state"),
    };
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(config));
    return [join(root, "bin/stoplog"), "run", "-c", file, "--socket", socketOf(folder)];
  },
  isReady: (output) => / watches \(process /.test(output),
  async counted(folder) {
    const status = await ask(socketOf(folder), "/v1/status");
    const jails = (status as { jails?: readonly { failures?: number }[] } | null)?.jails;
    return jails?.[0]?.failures ?? null;
  },
};

function socketOf(folder: string): string {
  return join(folder, "control.sock");
}

/** The answer of the control socket; null when there is none. */
function ask(socketPath: string, path: string): Promise<unknown> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path, timeout: 5000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve(parse(Buffer.concat(chunks).toString())));
    });
    asked.on("error", () => resolve(null));
    asked.on("timeout", () => asked.destroy());
    asked.end();
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

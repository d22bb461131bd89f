import { dirname } from "node:path";
import { type SourceKind, sourceKeys, type SourceOptions } from "../kind.ts";
import { parseListenAddress } from "./listen-address.ts";

export interface SyslogOptions extends SourceOptions {
  readonly type: "syslog";
  /** `unix:/PATH`, `udp:HOST:PORT` or `tcp:HOST:PORT`, IPv6 hosts in brackets. */
  readonly listen: string;
  /**
   * Permission bits of the UNIX socket; 0o660 unless set. A process that can write to it can have any address banned, so it is never
   * open to everyone by default; `group` admits a syslog daemon that is not root.
   */
  readonly mode?: number | undefined;
  /** Owner and group of the UNIX socket, by name or number; the process's own unless set. */
  readonly owner?: string | number | undefined;
  readonly group?: string | number | undefined;
}

/** Messages of syslog daemons, over a socket. */
export const syslog: SourceKind<SyslogOptions> = {
  name: "syslog",
  summary: "Messages that syslog daemons send, RFC 3164 and RFC 5424.",
  description: "Syslog over a socket.",
  gives: "lines",
  takes: ["max_line", "timezone"],
  options: sourceKeys(
    (v) => ({
      listen: v.checked("unix:/PATH, udp:HOST:PORT or tcp:HOST:PORT", wrongAddress).meta({
        description: "The socket: `unix:PATH` (datagrams), `udp:HOST:PORT` or `tcp:HOST:PORT`.",
        examples: ["unix:/run/stoplog/syslog.sock", "udp:127.0.0.1:5514", "tcp:[::1]:5514"],
      }),
      mode: v
        .fileMode()
        .optional()
        .meta({
          description: "Permissions of a UNIX socket, in octal. Without it, 0660.",
          examples: ["0660"],
        }),
      owner: v
        .text("a user")
        .optional()
        .meta({ description: "The owner of a UNIX socket.", examples: ["syslog"] }),
      group: v
        .text("a group")
        .optional()
        .meta({ description: "The group of a UNIX socket.", examples: ["adm"] }),
    }),
    ({ listen, mode, owner, group }, section): SyslogOptions => {
      if (!listen.startsWith("unix:"))
        section.refuseKeys(["mode", "owner", "group"], "needs listen: unix:PATH");
      return { type: "syslog", listen, mode, owner, group };
    },
  ),
  needs: ({ listen }) => {
    const address = parseListenAddress(listen);
    if (typeof address === "string") return {};
    if (address.kind === "unix") return { native: "always", unit: folderOf(address.path) };
    return address.port < 1024 ? { unit: LOW_PORT } : {};
  },
  open: async (name, options, saved) =>
    new (await import("./syslog-source.ts")).SyslogSource(name, options, saved),
};

const LOW_PORT = ["AmbientCapabilities=CAP_NET_BIND_SERVICE", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE"];

/** The unit lets its service write to its own folder in /run. */
function folderOf(path: string): readonly string[] {
  const folder = dirname(path);
  return folder === "/run/stoplog" || folder === "/var/lib/stoplog" ? [] : [`ReadWritePaths=${folder}`];
}

function wrongAddress(written: string): string | null {
  const address = parseListenAddress(written);
  return typeof address === "string" ? `cannot be used: ${address}` : null;
}

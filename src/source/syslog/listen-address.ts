import { isIP } from "node:net";

/** Where syslog messages are taken. */
export type ListenAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "udp" | "tcp"; readonly host: string; readonly port: number };

/**
 * Reads `unix:/path`, `udp:HOST:PORT` or `tcp:HOST:PORT`; the host is an address (IPv6 in brackets) or `localhost`.
 * Answers a phrase that says what is wrong.
 */
export function parseListenAddress(text: string): ListenAddress | string {
  const [, kind, rest] = /^(unix|udp|tcp):(.+)$/s.exec(text) ?? [];
  if (kind === undefined || rest === undefined) {
    return "it must be unix:/PATH, udp:HOST:PORT or tcp:HOST:PORT";
  }
  if (kind === "unix") return parsePath(rest);
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(rest) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined)
    return "an address and a port are needed, IPv6 in brackets: udp:127.0.0.1:514, udp:[::1]:514";
  if (host !== "localhost" && isIP(host) !== (bracketed === undefined ? 4 : 6)) {
    return `${host} is not an address of this kind`;
  }
  const port = Number(digits);
  return port > 65_535 ? `${port} is not a port` : { kind: kind as "udp" | "tcp", host, port };
}

/** sun_path of unix(7) has 108 bytes, one of them for the NUL. */
export const MAX_SOCKET_PATH = 107;

function parsePath(path: string): ListenAddress | string {
  if (!path.startsWith("/")) return "the path must begin with /";
  if (path.endsWith("/")) return "the path must name a file";
  const length = Buffer.byteLength(path);
  if (length > MAX_SOCKET_PATH)
    return `a socket's path has at most ${MAX_SOCKET_PATH} bytes, this one has ${length}`;
  return path.includes("\0") ? "the path must not hold a NUL" : { kind: "unix", path };
}

import { isIP } from "node:net";

/** An address on which syslog messages are received. */
export type ListenAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "udp" | "tcp"; readonly host: string; readonly port: number };

/**
 * Parses `unix:/PATH`, `udp:HOST:PORT` or `tcp:HOST:PORT`. The host is an address (IPv6 in brackets) or `localhost`.
 * Returns a phrase that says what is wrong with an invalid address.
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
    return "it needs an address and a port, IPv6 in brackets: udp:127.0.0.1:514, udp:[::1]:514";
  if (host !== "localhost" && isIP(host) !== (bracketed === undefined ? 4 : 6)) {
    return `${host} is not an ${bracketed === undefined ? "IPv4" : "IPv6"} address`;
  }
  const port = Number(digits);
  return port > 65_535 ? `${port} is not a port` : { kind: kind as "udp" | "tcp", host, port };
}

/** unix(7): sun_path has 108 bytes, including the NUL. */
export const MAX_SOCKET_PATH = 107;

function parsePath(path: string): ListenAddress | string {
  if (!path.startsWith("/")) return "the path must begin with /";
  if (path.endsWith("/")) return "the path must name a file";
  const length = Buffer.byteLength(path);
  if (length > MAX_SOCKET_PATH)
    return `the path has ${length} bytes; a socket's path has at most ${MAX_SOCKET_PATH}`;
  return path.includes("\0") ? "the path must not contain a NUL" : { kind: "unix", path };
}

/** Where a ØMQ socket binds or connects. */
export type Endpoint =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "ipc"; readonly path: string };

/** Reads `tcp://HOST:PORT` (`*` for all addresses when binding) or `ipc:///PATH`; returns a phrase if it is neither. */
export function parseEndpoint(text: string, way: "bind" | "connect"): Endpoint | string {
  const path = /^ipc:\/\/(\/.*)$/.exec(text)?.[1];
  if (path !== undefined)
    return Buffer.byteLength(path) > LONGEST_PATH
      ? `the path is longer than ${LONGEST_PATH} bytes`
      : { kind: "ipc", path };
  const [, host = "", digits = ""] =
    /^tcp:\/\/(\*|\[[0-9A-Fa-f:.]+(?:%[\w.-]+)?\]|[A-Za-z0-9](?:[\w.-]{0,252}))?:(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (host === "") return "it must be tcp://HOST:PORT or ipc:///PATH";
  if (port < 1 || port > 65_535) return "the port must be 1 to 65535";
  if (host === "*" && way === "connect") return "* is a place to bind, not to connect to";
  return { kind: "tcp", host, port };
}

/** Whether other machines can be at the other end. */
export function isRemote(endpoint: Endpoint): boolean {
  return endpoint.kind === "tcp" && !/^(?:127\.[\d.]+|localhost|\[::1\])$/.test(endpoint.host);
}

/** Size of sun_path, with its final zero. */
const LONGEST_PATH = 107;

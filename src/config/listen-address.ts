import { isIP } from "node:net";
import { shorten } from "../schema/shorten.ts";

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Reads `HOST:PORT`; a string says what is wrong. */
export function listenAddress(text: string): ListenAddress | string {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? "";
  const port = Number(digits);
  const isHost = host === "localhost" || isIP(host) === (bracketed === undefined ? 4 : 6);
  if (!isHost) return `${shorten(text)} is not an address and port such as 127.0.0.1:8443 or [::1]:8443`;
  return port > 65_535 ? `${digits} is not a port` : { host, port };
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

import { AF_UNIX, loadNative, openSocket, SOCK_CLOEXEC } from "../../src/kernel/native/libc.ts";
import { systemError } from "../../src/kernel/native/system-error.ts";

/**
 * Reads a document of the daemon's API, and blocks until it is there. Tests ask many times a second, and starting
 * `stoplog status` each time would take more processor time than the daemons under test.
 */
export function askNow(socketPath: string, path: string): unknown {
  const { library, libc } = loadNative();
  const connect = library.func("connect", "int", ["int", "const void *", "uint32_t"]) as unknown as (
    fd: number,
    address: Uint8Array,
    length: number,
  ) => number;
  const fd = openSocket(libc, "open a UNIX socket", [AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0]);
  try {
    const address = unixAddress(socketPath);
    if (connect(fd, address, address.length) < 0) throw systemError(libc.errno());
    // HTTP 1.0: the answer ends with the connection and is not cut into chunks.
    const request = Buffer.from(`GET ${path} HTTP/1.0\r\nHost: stoplog\r\nAccept: application/json\r\n\r\n`);
    if (libc.send(fd, request, request.length, 0) !== request.length) throw systemError(libc.errno());
    const parts: Buffer[] = [];
    for (;;) {
      const part = Buffer.alloc(1 << 16);
      const length = libc.recv(fd, part, part.length, 0);
      if (length < 0) throw systemError(libc.errno());
      if (length === 0) break;
      parts.push(part.subarray(0, length));
    }
    const [head = "", ...body] = Buffer.concat(parts).toString().split("\r\n\r\n");
    if (!/^HTTP\/1\.\d 200 /.test(head)) throw new Error(`Cannot read ${path}: ${head.split("\r\n")[0]}`);
    return JSON.parse(body.join("\r\n\r\n"));
  } finally {
    libc.close(fd);
  }
}

const SOCK_STREAM = 1;

/** struct sockaddr_un. */
function unixAddress(path: string): Uint8Array {
  const family = new Uint8Array(new Uint16Array([AF_UNIX]).buffer);
  return Buffer.concat([family, Buffer.from(`${path}\0`)]);
}

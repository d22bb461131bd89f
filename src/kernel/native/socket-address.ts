import { endianness } from "node:os";
import { cannot } from "../../core/errors.ts";
import { AF_NETLINK, AF_UNIX } from "./libc.ts";

/** sockaddr_un of unix(7) for a path in the file system. Throws a StoplogError for one that does not fit. */
export function unixSocketAddress(path: string): Uint8Array {
  const bytes = Buffer.from(path);
  if (bytes.length === 0 || bytes.length > UNIX_PATH_MAX || bytes.includes(0)) {
    throw cannot(
      `use the socket path ${path}`,
      `a path has 1 to ${UNIX_PATH_MAX} bytes, this one has ${bytes.length}`,
    );
  }
  const address = Buffer.alloc(2 + bytes.length + 1);
  writeFamily(address, AF_UNIX);
  bytes.copy(address, 2);
  return address;
}

/** sockaddr_nl of netlink(7) that lets the kernel choose the port. */
export function netlinkSocketAddress(): Uint8Array {
  const address = Buffer.alloc(12);
  writeFamily(address, AF_NETLINK);
  return address;
}

/** The port in a sockaddr_nl. */
export function netlinkPort(address: Uint8Array): number {
  const view = new DataView(address.buffer, address.byteOffset, address.byteLength);
  return view.getUint32(4, endianness() === "LE");
}

/** sun_path has 108 bytes, one of them for the NUL. */
const UNIX_PATH_MAX = 107;

function writeFamily(address: Buffer, family: number): void {
  if (endianness() === "LE") address.writeUInt16LE(family);
  else address.writeUInt16BE(family);
}

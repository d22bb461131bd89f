import { closeSync } from "node:fs";
import { heldLocks, passLocks } from "../../kernel/native/file-lock.ts";
import { duplicate, passSockets } from "../../kernel/native/passed-sockets.ts";
import { ownSockets } from "../../kernel/native/socket-names.ts";
import type { Parcel } from "../../kernel/native/descriptor-channel.ts";

/** What a daemon hands over: the sockets on which it receives, and its locks. */
export interface Estate {
  readonly sockets: ReadonlyMap<string, number>;
  /** By the path of the lock's file. */
  readonly locks: ReadonlyMap<string, number>;
}

/** Further descriptors of everything that this process has: what it closes from now on stays open, and what arrives waits in the kernel. */
export function keepEstate(): Estate {
  return {
    sockets: new Map(ownSockets().map(({ name, fd }) => [name, duplicate(fd)])),
    locks: new Map([...heldLocks()].map(([path, fd]) => [path, duplicate(fd)])),
  };
}

/** Makes the sockets and the locks those of this process: what is opened and locked from now on finds them. */
export function inherit({ sockets, locks }: Estate): void {
  passSockets(
    [...sockets].map(([name, fd]) => ({ name, fd })),
    "daemon",
  );
  passLocks(locks);
}

export function closeEstate({ sockets, locks }: Estate): void {
  for (const fd of [...sockets.values(), ...locks.values()]) closeSync(fd);
}

export function parcelOf({ sockets, locks }: Estate): Parcel {
  const text = JSON.stringify({ version: VERSION, sockets: [...sockets.keys()], locks: [...locks.keys()] });
  return { text, descriptors: [...sockets.values(), ...locks.values()] };
}

/** Throws when the message is not one of `parcelOf`. */
export function estateIn({ text, descriptors }: Parcel): Estate {
  const {
    version,
    sockets = [],
    locks = [],
  } = JSON.parse(text) as {
    readonly version?: number;
    readonly sockets?: readonly string[];
    readonly locks?: readonly string[];
  };
  if (version !== VERSION || sockets.length + locks.length !== descriptors.length)
    throw new Error("its message is of another version");
  return {
    sockets: new Map(sockets.map((name, i) => [name, descriptors[i] ?? -1])),
    locks: new Map(locks.map((path, i) => [path, descriptors[sockets.length + i] ?? -1])),
  };
}

const VERSION = 1;

import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { deserialize } from "node:v8";
import { areCurrent } from "../config/config-input.ts";
import type { ConfigPlace } from "../config/config-place.ts";
import { findOpenFiles, refusalsOf } from "../config/open-files.ts";
import { packageRoot } from "../config/package-root.ts";
import type { Reading } from "../config/reading.ts";
import { defaultStateDirectory } from "../config/state-directory.ts";
import { factOf } from "../core/errors.ts";
import { replaceFile } from "../core/replace-file.ts";
import { programBuild } from "./version.ts";

/**
 * The last configuration as it was read, in a file beside the control socket: a start with the same texts needs no second process. It is used only
 * by the same program, in the same Node, for the same texts; then reading them would give the same.
 *
 *      stoplog reading 1 \n     checksum (4 bytes)     length of the key (4)     key, as JSON     the reading, as V8 serializes it
 */
export class KeptReading {
  readonly #file: string;
  readonly #path: string;
  readonly #key: string;
  /** Why the file was not used, as a phrase; null when it was, or is missing. */
  fault: string | null = null;

  constructor(file: string, path: string, build: string) {
    this.#file = file;
    this.#path = path;
    this.#key = keyOf(path, build);
  }

  /** Null when the configuration must be read. */
  read(): Reading | null {
    try {
      const reading = this.#parse(readOwn(this.#file));
      if (reading.inputs === null || !areCurrent(reading.inputs, this.#path))
        throw new Error("the configuration changed");
      return reading;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") this.fault = factOf(error);
      return null;
    }
  }

  /** Keeps `bytes`, which are a reading as V8 serializes it. Rejects when they cannot be written. */
  async keep(bytes: Uint8Array): Promise<void> {
    const key = Buffer.from(this.#key);
    const head = Buffer.alloc(8);
    head.writeUInt32LE(key.length, 4);
    const whole = Buffer.concat([head, key, bytes]);
    whole.writeUInt32LE(checksum(whole.subarray(4)), 0);
    await replaceFile(this.#file, [MAGIC, whole.toString("latin1")], { encoding: "latin1" });
  }

  #parse(bytes: Buffer): Reading {
    const start = MAGIC.length + 8;
    if (bytes.length < start || bytes.toString("latin1", 0, MAGIC.length) !== MAGIC)
      throw new Error("it is not a kept configuration");
    if (bytes.readUInt32LE(MAGIC.length) !== checksum(bytes.subarray(MAGIC.length + 4)))
      throw new Error("it is damaged");
    const end = start + bytes.readUInt32LE(MAGIC.length + 4);
    if (bytes.toString("utf8", start, end) !== this.#key)
      throw new Error("it is another program's or configuration's");
    return deserialize(bytes.subarray(end)) as Reading;
  }
}

/**
 * Null for the built-in configuration, which depends on the machine, for fail2ban's folder, for a program that the build has not marked, and in a
 * folder that was removed.
 */
export function keptReading(socketPath: string, { file, fail2ban }: ConfigPlace): KeptReading | null {
  return file === null || fail2ban !== null || programBuild === null || !hasFolder()
    ? null
    : new KeptReading(`${socketPath}.config`, file, programBuild);
}

/** Whether this process has a working folder. */
function hasFolder(): boolean {
  try {
    process.cwd();
    return true;
  } catch {
    return false;
  }
}

const MAGIC = "stoplog reading 1\n";

/** Everything but the texts that a reading depends on. */
function keyOf(path: string, build: string): string {
  const user = process.geteuid?.() ?? null;
  const { node, v8, icu, tz } = process.versions;
  return JSON.stringify({
    build,
    node: [node, v8, icu, tz, process.arch],
    path,
    folder: process.cwd(),
    user,
    state: defaultStateDirectory(user === 0),
    root: packageRoot(),
  });
}

/** The content of a file that this user owns and that no other can change. */
function readOwn(path: string): Buffer {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw new Error("it is not a regular file");
    if (stat.uid !== process.geteuid?.()) throw new Error(`user ${stat.uid} owns it`);
    if ((stat.mode & 0o077) !== 0) throw new Error(`its mode is ${(stat.mode & 0o777).toString(8)}, not 600`);
    if (stat.size > MOST_BYTES) throw new Error("it is too large");
    const [refusal] = refusalsOf(findOpenFiles([path]));
    if (refusal !== undefined) throw new Error(refusal);
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** As much as is taken from the process that reads the configuration, and the key. */
const MOST_BYTES = 65 * 1024 * 1024;

/** Finds damage, not forgery: the file's owner could change the program. Four bytes at a time, because the start waits for it. */
function checksum(bytes: Uint8Array): number {
  const words = new Int32Array((bytes.length + 3) >> 2);
  new Uint8Array(words.buffer).set(bytes);
  let sum = bytes.length;
  for (const word of words) {
    sum = Math.imul(sum ^ word, 0x01000193);
    sum = (sum << 15) | (sum >>> 17);
  }
  return sum >>> 0;
}

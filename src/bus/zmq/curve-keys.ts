import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { statSync } from "node:fs";
import { cannot, StoplogError } from "../../core/errors.ts";
import { decodeZ85, encodeZ85 } from "./z85.ts";
import { readRegularFile } from "../../core/read-regular-file.ts";

/** A key pair for ØMQ's CURVE (RFC 26): Curve25519, each key 32 bytes as 40 characters of Z85. */
export interface CurveKeys {
  readonly publicKey: string;
  readonly secretKey: string;
}

export function newCurveKeys(): CurveKeys {
  const { privateKey } = generateKeyPairSync("x25519");
  const der = privateKey.export({ type: "pkcs8", format: "der" });
  const secretKey = encodeZ85(der.subarray(-KEY_BYTES));
  return { secretKey, publicKey: publicKeyOf(secretKey) };
}

/** The public key of a secret key. */
export function publicKeyOf(secretKey: string): string {
  const secret = decodeZ85(secretKey);
  if (secret?.length !== KEY_BYTES) throw new StoplogError("Cannot use a secret key: it is not a key in Z85");
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_X25519, secret]),
    format: "der",
    type: "pkcs8",
  });
  const der = createPublicKey(key).export({ type: "spki", format: "der" });
  return encodeZ85(der.subarray(-KEY_BYTES));
}

export function isCurveKey(text: string): boolean {
  return decodeZ85(text)?.length === KEY_BYTES;
}

/** A public key as text, or from a file if the text is an absolute path. Throws a StoplogError. */
export function readPublicKey(written: string): string {
  return written.startsWith("/") && !isCurveKey(written) ? readKeyFile(written) : written;
}

/** A key from a file that only its owner may read. Throws a StoplogError. */
export function readSecretKey(path: string): string {
  const key = readKeyFile(path);
  if ((statSync(path).mode & 0o077) !== 0)
    throw new StoplogError(`Cannot use ${path}: other users may read it (chmod 600)`);
  return key;
}

const KEY_BYTES = 32;
/** The bytes before the key in PKCS #8 (RFC 8410): version 0, algorithm 1.3.101.110, nested octet strings of 32 bytes. */
const PKCS8_X25519 = Buffer.from("302e020100300506032b656e04220420", "hex");

function readKeyFile(path: string): string {
  let text: string;
  try {
    text = readRegularFile(path, "latin1");
  } catch (thrown) {
    throw cannot(`read the key ${path}`, thrown);
  }
  const key = text.trim();
  if (isCurveKey(key)) return key;
  throw new StoplogError(`Cannot use ${path}: it does not contain a key of 40 characters in Z85`);
}

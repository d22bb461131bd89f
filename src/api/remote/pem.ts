import { cannot } from "../../core/errors.ts";
import { readRegularFile } from "../../core/read-regular-file.ts";

/** A certificate with its chain and its key (PEM). */
export interface Pem {
  readonly cert: string;
  readonly key: string;
}

/** Throws 'Cannot read the API's certificate /etc/stoplog/api.crt: no such file or directory'. */
export function readPem({ cert, key }: Pem): Pem {
  return { cert: readPart("certificate", cert), key: readPart("key", key) };
}

function readPart(part: string, path: string): string {
  try {
    return readRegularFile(path, "utf8");
  } catch (error) {
    throw cannot(`read the API's ${part} ${path}`, error);
  }
}

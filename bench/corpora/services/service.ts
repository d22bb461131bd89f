import type { Random } from "../random.ts";
import type { Stamp } from "../stamp.ts";

/** A log writer. Lines come without their end, in the formats of the services' own sources. */
export interface Service {
  /** The library's filter that is about the failures. */
  readonly filter: string;
  /** A line about a failure of the address. Each one counts once in the service's filter. */
  failure(stamp: Stamp, address: string, random: Random): string;
  /** What the service writes when nobody attacks; nothing in it is a failure or a success that a filter counts. */
  noise(stamp: Stamp, random: Random): string;
}

export const USERS = [
  "root",
  "admin",
  "test",
  "ubuntu",
  "oracle",
  "postgres",
  "git",
  "deploy",
  "pi",
  "ftpuser",
];
export const PEOPLE = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];

/** An address of somebody who does nothing wrong. */
export function guest(random: Random): string {
  return `203.0.113.${1 + random.below(254)}`;
}

export function port(random: Random): number {
  return 1024 + random.below(64_000);
}

/** Of all that a 64-bit Linux gives out: fail2ban takes lines of one number for one session, so it must not come twice soon. */
export function pid(random: Random): number {
  return 1000 + random.below(4_000_000);
}

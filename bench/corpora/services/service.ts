import type { Random } from "../random.ts";
import type { Stamp } from "../stamp.ts";

/** Writes log lines, without line ends, in the formats of the services' source code. */
export interface Service {
  /** The library's filter for the failures. */
  readonly filter: string;
  /** A line about a failure of the address. Each one counts once in the service's filter. */
  failure(stamp: Stamp, address: string, random: Random): string;
  /** A line of the service without an attack: no failure and no success for a filter. */
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

/** An address of a legitimate client. */
export function guest(random: Random): string {
  return `203.0.113.${1 + random.below(254)}`;
}

export function port(random: Random): number {
  return 1024 + random.below(64_000);
}

/** From the whole range of a 64-bit Linux: fail2ban takes lines with one pid for one session, so it must not repeat soon. */
export function pid(random: Random): number {
  return 1000 + random.below(4_000_000);
}

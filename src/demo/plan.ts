import { MINUTE } from "../core/time.ts";

/** The parameters of a demo. */
export interface Plan {
  /** The length of each of the two phases. */
  readonly seconds: number;
  readonly attackers: number;
  /** Login attempts a second of all attackers together. */
  readonly rate: number;
  /** Whether this kernel has IPv6. */
  readonly ipv6: boolean;
}

export const MOST_SECONDS = 60;
export const MOST_ATTACKERS = 1000;

/** The daemon's jail. */
export const MAXRETRY = 5;
export const BANTIME = MINUTE;

/** Each logs in once a second. */
export const USERS = 20;

/** The demo's internet: documentation networks (RFC 5737, RFC 3849), then benchmark networks (RFC 2544). */
export const SERVER = { v4: "192.0.2.1", v6: "2001:db8::1" };
export const GATEWAY = { v4: "192.0.2.2", v6: "2001:db8::2" };
export const USER_NETWORK = "192.0.2.64/26";
export const ATTACKER_NETWORKS_V4 = ["198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/24", "198.18.1.0/24"];
export const ATTACKER_NETWORK_V6 = "2001:db8:bad::/48";

export function plan(seconds: number, attackers: number, ipv6: boolean): Plan {
  return { seconds, attackers, ipv6, rate: Math.min(MOST_RATE, attackers * RATE_OF_ONE) };
}

/** The address of attacker `index`, from 0. With IPv6, every fifth has an address in its own /64. */
export function attackerAddress(index: number, ipv6: boolean): string {
  if (ipv6 && isV6(index)) return `2001:db8:bad:${(index + 1).toString(16)}::1`;
  const place = ipv6 ? index - Math.floor(index / EACH_V6) : index;
  const network = ATTACKER_NETWORKS_V4[Math.floor(place / HOSTS)] ?? "";
  return network.replace("0/24", String((place % HOSTS) + 1));
}

export function userAddress(index: number): string {
  return `192.0.2.${65 + index}`;
}

/** The number of attackers by address family. */
export function families({ attackers, ipv6 }: Plan): { readonly ipv4: number; readonly ipv6: number } {
  const v6 = ipv6 ? Math.floor(attackers / EACH_V6) : 0;
  return { ipv4: attackers - v6, ipv6: v6 };
}

/** Attempts a second: a flood, but not too much for one core. */
const MOST_RATE = 2000;
const RATE_OF_ONE = 10;
const EACH_V6 = 5;
/** Host addresses of a /24. */
const HOSTS = 254;

function isV6(index: number): boolean {
  return index % EACH_V6 === EACH_V6 - 1;
}

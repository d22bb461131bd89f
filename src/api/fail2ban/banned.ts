import { parsePrefix, type Prefix } from "../../core/prefix.ts";
import { wrongValue } from "./command-error.ts";
import type { Fail2banHost } from "./host.ts";
import type { Lists } from "./lists.ts";
import type { Plain } from "./plain.ts";

/** `banned`: for each jail a dictionary with its addresses. */
export async function bannedEverywhere(host: Fail2banHost, lists: Lists): Promise<Plain> {
  const jails: Plain[] = [];
  for (const { name } of host.jails()) jails.push(new Map([[name, await lists.banned(host, name)]]));
  return jails;
}

/** `banned ADDRESS…`: for each address a list of the jails that have banned it. */
export function bannedJails(host: Fail2banHost, addresses: readonly string[]): Plain {
  const known = new Set(host.jails().map(({ name }) => name));
  return addresses.map((text) => {
    const jails = host.bansOn(prefixOf(text)).map(({ jail }) => jail);
    return [...new Set(jails)].filter((jail) => known.has(jail));
  });
}

/** `get JAIL banned ADDRESS…`: 1 or 0; a list of them for several addresses. */
export function isBannedIn(host: Fail2banHost, jail: string, addresses: readonly string[]): Plain {
  const answers = addresses.map((text) =>
    host.bansOn(prefixOf(text)).some((ban) => ban.jail === jail) ? 1 : 0,
  );
  return answers.length === 1 ? (answers[0] ?? 0) : answers;
}

export function prefixOf(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === null) throw wrongValue(`'${text}' is not an IP address or network`);
  return prefix;
}

import { isV4 } from "./address.ts";
import { type Prefix, prefixCovers } from "./prefix.ts";

/** Sentences about lists that spare so many addresses that hardly any attacker is banned. `what` names the list, in the singular: 'ignoreip'. */
export function wideNetworks(what: string, prefixes: readonly Prefix[]): string[] {
  return (["IPv4", "IPv6"] as const).flatMap((family) => {
    const share = shareOf(prefixes.filter(({ address }) => isV4(address) === (family === "IPv4")));
    if (share >= 1) return [`${what} covers every ${family} address: none is ever banned`];
    return share >= 0.5
      ? [`${what} covers half of all ${family} addresses or more: they are never banned`]
      : [];
  });
}

/** Whether a network is large enough to count here. There are at most 511 such networks in each family. */
export function isWide({ length }: Prefix): boolean {
  return length <= SMALLEST;
}

/** The share of a family's addresses in networks that may lie within each other. Small networks make no difference. */
function shareOf(prefixes: readonly Prefix[]): number {
  const kept: Prefix[] = [];
  for (const prefix of prefixes.filter(isWide).toSorted((a, b) => a.length - b.length)) {
    if (!kept.some((wider) => prefixCovers(wider, prefix))) kept.push(prefix);
  }
  return kept.reduce((sum, { length }) => sum + 2 ** -length, 0);
}

const SMALLEST = 8;

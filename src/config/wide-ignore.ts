import { isV4 } from "../core/address.ts";
import { type Prefix, prefixCovers } from "../core/prefix.ts";

/** Sentences about lists that spare so many addresses that hardly any attacker is banned. `what` names the list: 'ignoreip'. */
export function wideIgnores(what: string, prefixes: readonly Prefix[]): string[] {
  return (["IPv4", "IPv6"] as const).flatMap((family) => {
    const share = shareOf(prefixes.filter(({ address }) => isV4(address) === (family === "IPv4")));
    if (share >= 1) return [`${what} covers every ${family} address: none is ever banned`];
    return share >= 0.5
      ? [`${what} covers half of all ${family} addresses or more: they are never banned`]
      : [];
  });
}

/** The share of a family's addresses in networks that may lie within each other. Small networks make no difference. */
function shareOf(prefixes: readonly Prefix[]): number {
  const kept: Prefix[] = [];
  for (const prefix of prefixes
    .filter(({ length }) => length <= SMALLEST)
    .toSorted((a, b) => a.length - b.length)) {
    if (!kept.some((wider) => prefixCovers(wider, prefix))) kept.push(prefix);
  }
  return kept.reduce((sum, { length }) => sum + 2 ** -length, 0);
}

/** Bounds the work: there are at most 2 to the power of this. */
const SMALLEST = 8;

import { countNetworks, type NetworksOfLength } from "../../core/ranges.ts";
import type { Steps } from "../../core/turns.ts";

/**
 * Splits rare networks into several of a longer prefix, where that costs few elements. Every prefix length costs each packet a look-up:
 * a list of hosts whose neighbours were merged into networks has ten lengths; split again it has one or two.
 *
 * `networks` are of one family, longest prefixes first, as `networksOf` makes them. Their number grows by at most `share`.
 */
export function* condense(
  networks: readonly NetworksOfLength[],
  share: number,
): Steps<readonly NetworksOfLength[]> {
  const groups = networks.map((level) => ({
    length: level.length,
    count: countNetworks([level]),
    levels: [level],
  }));
  let budget = Math.floor(Math.max(LITTLE, countNetworks(networks) * share));
  for (;;) {
    const costs = groups
      .slice(1)
      .map(({ length, count }, i) => count * (2 ** (groups[i]!.length - length) - 1));
    const cheapest = costs.indexOf(Math.min(...costs));
    if (cheapest < 0 || costs[cheapest]! > budget) break;
    const [short] = groups.splice(cheapest + 1, 1);
    const long = groups[cheapest]!;
    budget -= costs[cheapest]!;
    long.count += short!.count + costs[cheapest]!;
    long.levels.push(...short!.levels);
  }
  const condensed: NetworksOfLength[] = [];
  for (const { length, count, levels } of groups) {
    const { words } = levels[0]!;
    const firsts = new Uint32Array(count * words);
    let end = 0;
    for (const level of levels) end = yield* split(level, length, firsts, end);
    condensed.push({ length, words, firsts });
  }
  return condensed;
}

/** Elements that a split may always add. */
const LITTLE = 1024;

/** Writes networks as networks of a longer prefix. Answers the end of what was written. */
function* split(level: NetworksOfLength, length: number, to: Uint32Array, end: number): Steps<number> {
  const { words, firsts } = level;
  const pieces = 2 ** (length - level.length);
  // The bits between both lengths may span two words: count in the lower one and carry.
  const lowest = Math.max(0, Math.ceil(length / 32) - 1);
  const step = 2 ** ((32 - (length % 32)) % 32);
  for (let at = 0; at < firsts.length; at += words) {
    for (let piece = 0; piece < pieces; piece++) {
      if ((end & 0x3fff) === 0) yield;
      for (let k = 0; k < words; k++) to[end + k] = firsts[at + k]!;
      let carry = piece * step;
      for (let k = lowest; k >= 0 && carry > 0; k--) {
        const sum = to[end + k]! + carry;
        to[end + k] = sum;
        carry = Math.floor(sum / 2 ** 32);
      }
      end += words;
    }
  }
  return end;
}

import { mix, type Random } from "./random.ts";

/** An address as services write it, and its last 32 bits: every engine sums them up to prove which addresses it found. */
export interface Attacker {
  readonly text: string;
  readonly word: number;
}

/**
 * How failures are distributed over attackers:
 * `skewed`: few fail often and many seldom, at any time (most logs);
 * `passing`: a hundred at a time, equally often, then never again (a flood that changes its addresses);
 * `each`: in turn.
 */
export type Visits = "skewed" | "passing" | "each";

/**
 * Attacker number n of a population. One in twenty has an IPv6 address. The ranges are unassigned: IPv4
 * 198.18.0.0/15 (RFC 2544, for benchmarks), beyond 100,000 also 240.0.0.0/4 (RFC 1112, reserved); IPv6 2001:db8::/32.
 * No two numbers give the same address: an odd factor permutes the numbers below a power of two.
 */
export function attacker(n: number): Attacker {
  if (n % 20 === 19) return v6(n);
  const word =
    n < 100_000
      ? (0xc612_0000 | (Math.imul(n, 0x9e35) & 0x1_ffff)) >>> 0
      : (0xf000_0000 | (Math.imul(n, 0x9e3779b1) & 0x0fff_ffff)) >>> 0;
  return { text: dotted(word), word };
}

/** The attacker of failure number `i` of `failures`. */
export function visitor(
  visits: Visits,
  i: number,
  { failures, attackers, random }: { failures: number; attackers: number; random: Random },
): number {
  switch (visits) {
    case "skewed":
      return Math.floor(attackers * random.unit() ** 3);
    case "each":
      return i % attackers;
    case "passing": {
      // Blocks of a hundred attackers, in turn within a block. The first attackers get the remainder.
      const each = Math.max(1, Math.floor(failures / attackers));
      const block = Math.floor(i / (PRESENT * each));
      const first = block * PRESENT;
      if (first >= attackers) return i % Math.min(PRESENT, attackers);
      return first + (i % Math.min(PRESENT, attackers - first));
    }
  }
}

const PRESENT = 100;

function v6(n: number): Attacker {
  // Both halves vary, networks and hosts. The last word alone identifies an attacker.
  const word = (Math.imul(n, 0x9e3779b1) | 0) >>> 0;
  const net = mix(n ^ 0x5bd1e995);
  const group = (value: number): string => (value & 0xffff || 1).toString(16);
  // Keeps the last two groups from being zero: they would be written shorter (RFC 5952).
  const [high, low] = [word >>> 16, word & 0xffff];
  const kept = (((high || 1) << 16) | (low || 1)) >>> 0;
  return {
    text: `2001:db8:${group(net >>> 16)}:${group(net)}::${group(high)}:${group(low)}`,
    word: kept,
  };
}

function dotted(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

import { type Duration, FOREVER } from "../core/time.ts";
import type { Growth } from "./options.ts";

/**
 * Length of the next ban of an address that was banned `before` times: bantime × multiplier × factor, at most maxtime, plus a
 * random part of rndtime. The first ban is never changed. `chance` is at least 0 and below 1. Formula: fail2ban's jail.conf(5).
 */
export function grownBantime(bantime: Duration, before: number, growth: Growth, chance: number): Duration {
  if (before === 0 || bantime === FOREVER) return bantime;
  const { factor, multipliers, maxtime, rndtime } = growth;
  const multiplier =
    multipliers === null
      ? 2 ** Math.min(before, MOST_DOUBLINGS)
      : (multipliers[Math.min(before, multipliers.length - 1)] ?? 1);
  const grown = Math.min(bantime * multiplier * factor, maxtime ?? LONGEST);
  return Math.round(Math.max(grown, 1000) + chance * rndtime);
}

const MOST_DOUBLINGS = 20;
/** A thousand years in ms. Far beyond that, instants would exceed the safe integers. */
const LONGEST: Duration = 1000 * 365.25 * 86_400_000;

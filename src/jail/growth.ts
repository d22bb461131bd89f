import { type Duration, FOREVER } from "../core/time.ts";
import type { Growth } from "./options.ts";

/**
 * How long the ban of an address lasts that was banned `before` times: bantime × multiplier × factor, at most maxtime, and up
 * to rndtime more. The first is never changed. `chance` is from 0 to below 1. Formula: fail2ban's jail.conf(5).
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
/** A thousand years in milliseconds: far beyond it, instants are no whole numbers any more. */
const LONGEST: Duration = 1000 * 365.25 * 86_400_000;

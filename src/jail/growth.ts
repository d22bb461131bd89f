import { banSeconds } from "../core/formula/ban-formula.ts";
import { FormulaError } from "../core/formula/formula.ts";
import { type Duration, FOREVER, SECOND } from "../core/time.ts";
import type { Growth } from "./options.ts";

/**
 * Length of the next ban of an address that was banned `before` times, at most maxtime, plus a random part of rndtime: bantime ×
 * multiplier × factor, or else the formula, which never makes a ban shorter. The first ban is never changed. `chance` is at least 0 and
 * below 1. Source: fail2ban's jail.conf(5).
 */
export function grownBantime(bantime: Duration, before: number, growth: Growth, chance: number): Duration {
  if (before === 0 || bantime === FOREVER) return bantime;
  const { factor, multipliers, maxtime, rndtime } = growth;
  const grown =
    multipliers === null
      ? Math.max(bantime, byFormula(bantime, before, growth))
      : bantime * factor * (multipliers[Math.min(before, multipliers.length - 1)] ?? 1);
  return Math.round(Math.max(Math.min(grown, maxtime ?? LONGEST), 1000) + chance * rndtime);
}

/** A failure of an address that was banned `before` times counts as so many: 1 2 3 5 9 …, as in fail2ban. */
export function failureWeight(before: number): number {
  return before === 0 ? 1 : 2 ** (Math.min(before, MOST_DOUBLINGS) - 1) + 1;
}

const MOST_DOUBLINGS = 20;
/** A thousand years in ms. Far beyond that, instants would exceed the safe integers. */
const LONGEST: Duration = 1000 * 365.25 * 86_400_000;

/** A formula that cannot be computed leaves the bantime as it is, as in fail2ban. */
function byFormula(bantime: Duration, before: number, { factor, formula }: Growth): Duration {
  if (formula === undefined || formula === null)
    return bantime * 2 ** Math.min(before, MOST_DOUBLINGS) * factor;
  try {
    return banSeconds(formula, { seconds: bantime / SECOND, before, factor }) * SECOND;
  } catch (error) {
    if (error instanceof FormulaError) return bantime;
    throw error;
  }
}

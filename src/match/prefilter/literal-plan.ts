import type { GramFrequency } from "./gram-frequency.ts";
import { GramPrices } from "./gram-prices.ts";
import { chooseLiterals, Crowd, isFindable, type Literal } from "./literal-choice.ts";
import type { Requirement } from "./literals.ts";

/** What the scan searches for, and how far apart the words are that it looks at. */
export interface LiteralPlan {
  /** In bytes. */
  readonly stride: number;
  /** For each pattern the literals of which a match needs one; empty for a pattern without requirements. */
  readonly byPattern: readonly (readonly Literal[])[];
}

/** Bytes. Shorter texts are not searched for: their patterns are tried on every line. */
export const SHORTEST_STRIDE = 4;

/**
 * The cheapest plan for traffic of these frequencies. Longer literals allow a longer stride, so fewer words to look at; but where the long
 * literals occur in many lines, shorter ones are cheaper.
 */
export function planLiterals(
  requirements: readonly (readonly Requirement[])[],
  frequency: GramFrequency,
): LiteralPlan {
  const steps = planInSteps(requirements, frequency);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** As `planLiterals`; yields after each pattern, which takes some tenths of a millisecond, so that the caller can do other work. */
export function* planInSteps(
  requirements: readonly (readonly Requirement[])[],
  frequency: GramFrequency,
): Generator<undefined, LiteralPlan> {
  const stride = longestStride(requirements);
  const prices = new GramPrices(frequency);
  const far = yield* priced(requirements, prices, stride);
  if (stride === SHORTEST_STRIDE || far.cost < LOOK_COST / 8) return far.plan;
  const near = yield* priced(requirements, prices, SHORTEST_STRIDE);
  return costOf(far) <= costOf(near) ? far.plan : near.plan;
}

/** Bytes. A longer stride gains little: reading the file dominates, and the tables grow with each byte. */
const LONGEST_STRIDE = 8;

/** Looking at a word, in visits to the table of words. */
const LOOK_COST = 0.04;

interface Priced {
  readonly plan: LiteralPlan;
  /** Visits per byte of traffic, looking not included. */
  readonly cost: number;
}

function costOf({ plan, cost }: Priced): number {
  return LOOK_COST / plan.stride + cost;
}

function longestStride(requirements: readonly (readonly Requirement[])[]): number {
  for (let stride = LONGEST_STRIDE; stride > SHORTEST_STRIDE; stride--) {
    if (requirements.every((list) => list.length === 0 || list.some((one) => isFindableEach(one, stride))))
      return stride;
  }
  return SHORTEST_STRIDE;
}

function isFindableEach(requirement: Requirement, stride: number): boolean {
  return requirement.every((sequence) => isFindable(sequence, stride));
}

function* priced(
  requirements: readonly (readonly Requirement[])[],
  prices: GramPrices,
  stride: number,
): Generator<undefined, Priced> {
  const crowd = new Crowd();
  const byPattern: (readonly Literal[])[] = [];
  let cost = 0;
  for (const list of requirements) {
    const choice = chooseLiterals(list, prices, stride, crowd);
    cost += choice?.cost ?? 0;
    byPattern.push(choice?.literals ?? []);
    yield;
  }
  return { plan: { stride, byPattern }, cost };
}

import type { GramFrequency } from "./gram-frequency.ts";
import { chooseLiterals, Crowd, isFindable, type Literal } from "./literal-choice.ts";
import type { Requirement } from "./literals.ts";

/** What is looked for, and how far apart words are that are looked at for it. */
export interface LiteralPlan {
  /** In bytes. */
  readonly stride: number;
  /** For each pattern the literals of which one must occur; none for a pattern that has no requirements. */
  readonly wanted: readonly (readonly Literal[])[];
}

/** A pattern that needs a shorter one cannot be looked for. */
export const SHORTEST_STRIDE = 4;

/**
 * The plan that costs least in such traffic. Fewer words are looked at the longer the literals are that every pattern has; but a
 * pattern whose long ones stand in many lines is better looked for by a short one.
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

/** The same with a rest after each pattern, some tenths of a millisecond, for whoever has other things to do meanwhile. */
export function* planInSteps(
  requirements: readonly (readonly Requirement[])[],
  frequency: GramFrequency,
): Generator<undefined, LiteralPlan> {
  const stride = longestStride(requirements);
  const far = yield* priced(requirements, frequency, stride);
  if (stride === SHORTEST_STRIDE || far.cost < LOOK_COST / 8) return far.plan;
  const near = yield* priced(requirements, frequency, SHORTEST_STRIDE);
  return costOf(far) <= costOf(near) ? far.plan : near.plan;
}

/** Longer ones were not worth it: the tables grow with each byte, and what is left is mostly reading the file. */
const LONGEST_STRIDE = 8;

/** What it costs to look at a word, in visits to the table of words. */
const LOOK_COST = 0.04;

interface Priced {
  readonly plan: LiteralPlan;
  /** Of what is found, for each byte of traffic, in visits. */
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
  frequency: GramFrequency,
  stride: number,
): Generator<undefined, Priced> {
  const crowd = new Crowd();
  const wanted: (readonly Literal[])[] = [];
  let cost = 0;
  for (const list of requirements) {
    const choice = chooseLiterals(list, frequency, stride, crowd);
    cost += choice?.cost ?? 0;
    wanted.push(choice?.literals ?? []);
    yield;
  }
  return { plan: { stride, wanted }, cost };
}

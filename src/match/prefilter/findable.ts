import { isFindable } from "./literal-choice.ts";
import { SHORTEST_STRIDE } from "./literal-plan.ts";
import { type Requirement, requirementsOf } from "./literals.ts";

/** The requirements of a pattern that the prefilter can search for. None when its texts are too short or too vague. */
export function findableRequirements(source: string): Requirement[] {
  return requirementsOf(source).filter((requirement) =>
    requirement.every((sequence) => isFindable(sequence, SHORTEST_STRIDE)),
  );
}

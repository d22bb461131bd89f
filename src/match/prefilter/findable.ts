import { LF } from "../../core/ascii.ts";
import { isFindable } from "./literal-choice.ts";
import { SHORTEST_STRIDE } from "./literal-plan.ts";
import { type Requirement, requirementsOf, type Sequence } from "./literals.ts";

/** The requirements of a pattern that the prefilter can search for, each within a line. None when its texts are too short or too vague. */
export function findableRequirements(source: string, manyLines = false): Requirement[] {
  const requirements = requirementsOf(source);
  const inLines = manyLines ? requirements.map((requirement) => requirement.map(withinLine)) : requirements;
  return inLines.filter((requirement) =>
    requirement.every((sequence) => isFindable(sequence, SHORTEST_STRIDE)),
  );
}

/** The longest part of a sequence without a line end: the next line may be in another batch. */
function withinLine(sequence: Sequence): Sequence {
  let longest: Sequence = [];
  let from = 0;
  for (let i = 0; i <= sequence.length; i++) {
    if (i < sequence.length && sequence[i]?.has(LF) === false) continue;
    if (i - from > longest.length) longest = sequence.slice(from, i);
    from = i + 1;
  }
  return longest;
}

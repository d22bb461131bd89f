import { expect, it } from "vitest";
import { LIMITS } from "../../../core/limits.ts";
import { DfaMemory, type Forgetful } from "./dfa-memory.ts";

class Pile implements Forgetful {
  size = 0;
  clear(): void {
    this.size = 0;
  }
}

it("automata that are too large together are cleared, except the one at work [limit: dfaMemory]", () => {
  let forgotten = 0;
  const memory = new DfaMemory(() => forgotten++);
  const piles = Array.from({ length: 40 }, () => new Pile());
  const size = LIMITS.dfaMemory.value / 32;
  for (const pile of piles) {
    pile.size = size;
    memory.grown(pile);
    expect(memory.total).toBeLessThanOrEqual(LIMITS.dfaMemory.value);
    expect(memory.total).toBe(piles.reduce((sum, one) => sum + one.size, 0));
    expect(pile.size).toBe(size);
  }
  expect(forgotten).toBe(1);
});

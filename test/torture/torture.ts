import { Random } from "./random.ts";
import { Breach, type Scenario } from "./scenario.ts";

export interface TortureOptions {
  /** No round begins after this time. */
  readonly seconds: number;
  readonly rounds: number;
  /** Of the first round; each further round has the next one. */
  readonly seed: number;
  readonly say: (line: string) => void;
}

/** Runs rounds of a scenario until the time has passed. Resolves with how many broke an invariant; rejects when the scenario itself fails. */
export async function torture(scenario: Scenario, options: TortureOptions): Promise<number> {
  const end = performance.now() + options.seconds * 1000;
  let breaches = 0;
  for (let round = 0; round < options.rounds && (round === 0 || performance.now() < end); round++) {
    const seed = options.seed + round;
    // Each round has a site of its own: what one broke must not spoil the next.
    const opened = await scenario.open();
    try {
      options.say(`seed ${seed}: ${await opened.round(new Random(seed))}`);
    } catch (error) {
      if (!(error instanceof Breach)) throw error;
      breaches++;
      options.say(`seed ${seed}: BROKEN: ${error.message}`);
    } finally {
      await opened.close();
    }
  }
  return breaches;
}

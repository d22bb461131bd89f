import type { Finding } from "./finding.ts";
import type { Situation } from "./situation.ts";

/** One thing that is looked at. */
export interface Check {
  /** Stable, since scripts tell findings by it. */
  readonly name: string;
  /** A few words for 'looked at …'. */
  readonly looksAt: string;
  /** None for what does not concern this configuration. */
  find(situation: Situation): readonly Finding[];
}

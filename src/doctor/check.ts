import type { Finding } from "./finding.ts";
import type { Situation } from "./situation.ts";

/** One thing that doctor checks: a file of `checks/`, and a line of `checks.ts`. */
export interface Check {
  /** Stable: scripts select findings by it. */
  readonly name: string;
  /** What is checked, in a few words. */
  readonly title: string;
  /** When it reports trouble or advice, for the reference: 'SYN cookies are off'. */
  readonly reports: string;
  /** Nothing for what does not concern this configuration. */
  look(situation: Situation): readonly Finding[];
}

import type { Column, Outcome } from "../harness/outcome.ts";

/** How a run was asked for. */
export interface Settings {
  readonly rounds: number;
  /** Smaller and shorter, to see that everything works; not to be published. */
  readonly quick: boolean;
  /** Runs that take minutes as often as all others. */
  readonly full: boolean;
}

/** What came of a definition. */
export interface Report {
  readonly columns: readonly Column[];
  readonly outcomes: readonly Outcome[];
  /** What was measured and verified, with the sizes of this run. */
  readonly setting: string;
}

export interface Workload<D> {
  run(definition: D, settings: Settings): Promise<Report>;
}

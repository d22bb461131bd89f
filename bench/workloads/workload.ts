import type { Column, Outcome } from "../harness/outcome.ts";

/** Options of a run. */
export interface Settings {
  readonly rounds: number;
  /** Smaller and shorter, to check that everything works; not for publication. */
  readonly quick: boolean;
  /** Runs rivals that take minutes as often as all others. */
  readonly full: boolean;
}

/** The result of a definition. */
export interface Report {
  readonly columns: readonly Column[];
  readonly outcomes: readonly Outcome[];
  /** The measured and verified figures, with the sizes of this run. */
  readonly setting: string;
}

export interface Workload<D> {
  run(definition: D, settings: Settings): Promise<Report>;
}

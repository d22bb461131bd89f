/** Where a list comes from. `run` offers files whenever there may be something new in them, until the signal aborts. */
export interface ListOrigin {
  /** What it does or waits for, as a phrase. */
  readonly state: string;
  run(offer: Offer, signal: AbortSignal): Promise<void>;
  /** What was held back is in use now. */
  released(): void;
}

/** Rejects only when the signal aborts. `settle` is told what became of the files before anything else is done with the list. */
export type Offer = (files: readonly string[], settle?: (taken: Taken) => void) => Promise<Taken>;

/** `held`: readable, but too different from before. `refused`: not readable, and said. */
export type Taken = "taken" | "held" | "refused";

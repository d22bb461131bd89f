/** Where a list comes from. `run` offers files whenever they may have changed, until the signal aborts. */
export interface ListOrigin {
  /** The state, as a phrase. */
  readonly state: string;
  run(offer: Offer, signal: AbortSignal): Promise<void>;
  /** The version that was held back is in use now. */
  released(): void;
}

/** Takes files. Rejects only when the signal aborts. `settle` gets the outcome before anything else happens to the list. */
export type Offer = (files: readonly string[], settle?: (taken: Taken) => void) => Promise<Taken>;

/** `held`: readable, but too different from before. `refused`: not readable, and reported. */
export type Taken = "taken" | "held" | "refused";

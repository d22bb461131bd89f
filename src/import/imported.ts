/** The result of an import. */
export interface Imported {
  /** A stoplog.yaml. */
  readonly text: string;
  /** What works differently or was left out, with the reason: one sentence each. */
  readonly differences: readonly string[];
}

/** What comes of another program's configuration. */
export interface Imported {
  /** A stoplog.yaml. */
  readonly text: string;
  /** What is not the same with it, and why: one sentence each. */
  readonly differences: readonly string[];
}

/** Something that is configured and does not work now. It lasts as long as its part reports it. */
export interface Trouble {
  /** What does not work, as the subject of a sentence: `source auth`, `target default`, `the API`. One trouble each. */
  readonly of: string;
  /** `Cannot X: fact`. */
  readonly sentence: string;
}

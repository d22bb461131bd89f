/** Something that is configured and does not work now. It lasts as long as its part reports it. */
export interface Trouble {
  /** What does not work, as the subject of a sentence: `source auth`, `target default`, `the API`. One trouble each. */
  readonly of: string;
  /** `Cannot X: fact`. */
  readonly sentence: string;
  /** True when its part says the beginning and the end in the log itself, at the moment of each. */
  readonly isSaid?: boolean;
}

import type { Address } from "./address.ts";
import type { Instant } from "./time.ts";

/** What a filter found in a line: a failure, or a success (`good`) such as a log-in that worked. */
export interface LineMatch {
  readonly kind: "failure" | "good";
  /** The filter's place in the list that the matcher was built from. */
  readonly filter: number;
  /** The pattern's place among the filter's failregex or goodregex. */
  readonly pattern: number;
  /** The text of the host. */
  readonly host: string;
  /** The host as an address; null for a name, which only jails with `usedns` use. */
  readonly address: Address | null;
  /** The time in the line; null when it has none that can be read. */
  readonly at: Instant | null;
  /** How often it happened: 5 for 'message repeated 5 times'. */
  readonly count: number;
  /** The whole line without its line end, one character per byte (latin1). */
  readonly line: string;
  /** Named groups other than the host, such as `user`. */
  readonly captures: Readonly<Record<string, string>>;
}

import type { Address } from "./address.ts";
import type { Instant } from "./time.ts";

/** What a matched line says. `good` is a success, such as a log-in that worked. */
export interface Failure {
  readonly kind: "failure" | "good";
  /** The filter's place in the list that the matcher was built from. */
  readonly filter: number;
  /** The pattern's place among the filter's failregex or goodregex. */
  readonly pattern: number;
  /** The text in the host's place. */
  readonly host: string;
  /** The host as an address; null when the text is a name, which only `usedns` jails care for. */
  readonly address: Address | null;
  /** The line's own time; null when it has none that can be read. */
  readonly at: Instant | null;
  /** How often it happened: 5 for 'message repeated 5 times'. */
  readonly count: number;
  /** The whole line, one character a byte (latin1), without its end. */
  readonly line: string;
  /** Named groups other than the host, such as `user`. */
  readonly captures: Readonly<Record<string, string>>;
}

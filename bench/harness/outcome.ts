/** What one engine or rival gave in one run. Every figure was measured in that run; null was not measurable here. */
export type Figures = Readonly<Record<string, number | null>>;

/** All runs of one engine or rival of a definition. */
export type Outcome =
  | {
      readonly kind: "measured";
      readonly who: string;
      readonly runs: readonly Figures[];
      readonly note?: string;
    }
  | { readonly kind: "missing"; readonly who: string; readonly why: string };

/** How figures are shown. */
export interface Column {
  readonly key: string;
  readonly label: string;
  readonly digits: number;
  /** Whether it is also shown as a multiple of the first contestant's. */
  readonly compared?: boolean;
}

/** A run that did not do what it should have done; its figures are worth nothing. */
export class WrongResult extends Error {
  override readonly name = "WrongResult";
}

/** Throws unless both are equal. */
export function verify(who: string, what: string, found: number, expected: number): void {
  if (found === expected) return;
  throw new WrongResult(`${who} gives a wrong result: ${found} ${what} instead of ${expected}`);
}

/** Figures of one engine or rival in one run; null for what cannot be measured here. */
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

/** A column of figures. */
export interface Column {
  readonly key: string;
  readonly label: string;
  readonly digits: number;
  /** Whether the table also shows it as a multiple of the first contestant's. */
  readonly compared?: boolean;
}

/** A run with a wrong result; its figures are not shown. */
export class WrongResult extends Error {
  override readonly name = "WrongResult";
}

/** Throws unless both are equal. */
export function verify(who: string, what: string, found: number, expected: number): void {
  if (found === expected) return;
  throw new WrongResult(`${who} gives a wrong result: ${found} ${what} instead of ${expected}`);
}

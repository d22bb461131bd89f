import { BackOff, type Pauses } from "../core/back-off.ts";
import { type Instant, SECOND } from "../core/time.ts";
import type { TargetSpec } from "../enforce/enforcer.ts";

/** Kinds none of whose targets could be opened, each with when it is tried again: after pauses that grow. */
export class WaitingKinds {
  readonly #waiting = new Map<string, Waiting>();

  get size(): number {
    return this.#waiting.size;
  }

  /** What the first of them threw; null for none. */
  get first(): { readonly thrown: unknown } | null {
    for (const waiting of this.#waiting.values()) return waiting;
    return null;
  }

  /** Notes that a kind cannot be opened, once more perhaps. */
  add(kind: string, specs: readonly TargetSpec[], thrown: unknown): void {
    const { backOff = new BackOff(PAUSES) } = this.#waiting.get(kind) ?? {};
    this.#waiting.set(kind, { specs, thrown, backOff, next: null });
  }

  delete(kind: string): void {
    this.#waiting.delete(kind);
  }

  /** Forgets the kinds that are not wanted any more. */
  keep(isWanted: (kind: string) => boolean): void {
    for (const kind of this.#waiting.keys()) if (!isWanted(kind)) this.#waiting.delete(kind);
  }

  /** The kinds that are to be tried now. */
  *due(now: Instant): Generator<readonly [kind: string, specs: readonly TargetSpec[]]> {
    for (const [kind, waiting] of Array.from(this.#waiting)) {
      waiting.next ??= now + waiting.backOff.next();
      if (waiting.next <= now) yield [kind, waiting.specs];
    }
  }

  /** Their targets, and what their enforcers threw. */
  *targets(): Generator<readonly [name: string, thrown: unknown]> {
    for (const { specs, thrown } of this.#waiting.values())
      for (const name of new Set(specs.map((spec) => spec.name))) yield [name, thrown];
  }
}

interface Waiting {
  readonly specs: readonly TargetSpec[];
  readonly thrown: unknown;
  readonly backOff: BackOff;
  /** When they are tried again; null until the next tick. */
  next: Instant | null;
}

const PAUSES: Pauses = { first: SECOND, longest: 10 * SECOND };

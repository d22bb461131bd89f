import type { Ban } from "../core/ban.ts";

/** What many bans have in common. */
export type Particulars = Pick<Ban, "target" | "jail" | "reason" | "origin">;

/**
 * The particulars of bans, kept once for all that say the same in a row, and for as long as one of them stands. Whoever holds
 * their numbers instead of them has nothing that the garbage collector looks at: of a million references it looks at each.
 */
export class SharedParticulars {
  readonly #all: Particulars[] = [NONE];
  readonly #holders: number[] = [0];
  readonly #free: number[] = [];
  /** By jail, what its latest ban said: the next one says the same, nearly always. */
  readonly #latest = new Map<string, number>();

  /** The number of what a ban says, from 1; held until it is released as often as it was taken. */
  take(ban: Ban): number {
    const known = this.#latest.get(ban.jail);
    const number = known !== undefined && isSame(this.at(known), ban) ? known : this.#add(ban);
    this.#holders[number]!++;
    return number;
  }

  /** 0 is nobody's, and need not be released. */
  release(number: number): void {
    if (number === 0 || --this.#holders[number]! > 0) return;
    const { jail } = this.at(number);
    if (this.#latest.get(jail) === number) this.#latest.delete(jail);
    this.#all[number] = NONE;
    this.#free.push(number);
  }

  at(number: number): Particulars {
    return this.#all[number]!;
  }

  #add({ target, jail, reason, origin }: Ban): number {
    const number = this.#free.pop() ?? this.#all.length;
    this.#all[number] = { target, jail, reason, origin };
    this.#holders[number] = 0;
    this.#latest.set(jail, number);
    return number;
  }
}

const NONE: Particulars = { target: "", jail: "", reason: "", origin: "" };

function isSame(a: Particulars, b: Ban): boolean {
  return a.target === b.target && a.reason === b.reason && a.origin === b.origin;
}

import type { Ban } from "../core/ban.ts";

/** The fields that many bans have in common. */
export type Particulars = Pick<Ban, "target" | "jail" | "reason" | "origin">;

/**
 * The particulars of bans, stored once for consecutive equal ones, until the last of their bans is gone. Columns hold numbers instead of
 * references: the garbage collector visits every reference.
 */
export class SharedParticulars {
  readonly #all: Particulars[] = [NONE];
  readonly #holders: number[] = [0];
  readonly #free: number[] = [];
  /** By jail, the particulars of its latest ban: the next ban nearly always has the same. */
  readonly #latest = new Map<string, number>();

  /** The number of the particulars of a ban, from 1. Valid until it is released as often as it was taken. */
  take(ban: Ban): number {
    const known = this.#latest.get(ban.jail);
    const number = known !== undefined && isSame(this.at(known), ban) ? known : this.#add(ban);
    this.#holders[number]!++;
    return number;
  }

  /** Ignores 0, which stands for none. */
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

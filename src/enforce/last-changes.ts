import { setImmediate as nextTurn } from "node:timers/promises";
import { formatPrefix, type Prefix } from "../core/prefix.ts";
import type { Instant } from "../core/time.ts";
import type { Enforcement, Refusal } from "./enforcer.ts";

/** The changes that have an effect, and the refused ones. */
export interface LastChanges {
  /** By `changeKey`, in their order. */
  readonly changes: ReadonlyMap<string, Enforcement>;
  readonly refusals: readonly Refusal[];
}

/**
 * Keeps the last of several changes to one prefix at one target. An expired ban becomes an unban. Bans at unknown targets are refused,
 * unbans there ignored. Takes a turn of the event loop between thousands.
 */
export async function lastChanges(
  changes: Iterable<Enforcement>,
  targets: { has(target: string): boolean },
  now: Instant,
): Promise<LastChanges> {
  let seen = 0;
  const last = new Map<string, Enforcement>();
  const refusals: Refusal[] = [];
  for (const change of changes) {
    if (++seen % AT_ONCE === 0) await nextTurn();
    const { prefix, target } = change;
    const isUnban = change.kind === "unban" || change.until <= now;
    if (!targets.has(target)) {
      if (!isUnban) refusals.push(refused(change, `there is no target ${target}`));
      continue;
    }
    const key = changeKey(change);
    last.delete(key);
    last.set(key, isUnban ? { kind: "unban", prefix, target } : change);
  }
  return { changes: last, refusals };
}

/** Changes in one turn of the event loop: a few milliseconds. */
const AT_ONCE = 1000;

/** A ban's key: `default 192.0.2.1`. */
export function changeKey({ prefix, target }: Pick<Enforcement, "prefix" | "target">): string {
  return `${target} ${formatPrefix(prefix)}`;
}

/** A refused change with the sentence `Cannot ban 192.0.2.1 at default: WHY`. `room` is `full` when the set, list or file has no more room. */
export function refused(
  { prefix, target, kind = "ban" }: Refusable,
  why: string,
  room: "full" | "enough" = "enough",
): Refusal {
  return new RefusedChange({ kind, prefix, target, why, isFull: room === "full" });
}

type Refusable = Pick<Enforcement, "prefix" | "target"> & Partial<Pick<Enforcement, "kind">>;

/** Makes its sentence when it is read: a set that is too small for the book refuses a million bans at once. */
class RefusedChange implements Refusal {
  readonly kind: Refusal["kind"];
  readonly prefix: Prefix;
  readonly target: string;
  readonly why: string;
  readonly isFull: boolean;

  constructor({ kind, prefix, target, why, isFull }: Omit<Refusal, "fact">) {
    this.kind = kind;
    this.prefix = prefix;
    this.target = target;
    this.why = why;
    this.isFull = isFull;
  }

  get fact(): string {
    return `Cannot ${this.kind} ${formatPrefix(this.prefix)} at ${this.target}: ${this.why}`;
  }
}

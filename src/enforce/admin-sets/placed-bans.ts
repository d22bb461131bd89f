import { setImmediate as nextTurn } from "node:timers/promises";
import type { Instant } from "../../core/time.ts";
import type { Enforced, Enforcement, Refusal } from "../enforcer.ts";
import { lastChanges } from "../last-changes.ts";
import type { Place, Reload } from "./place.ts";

/** The bans of some targets, each applied at every place of its target. */
export class PlacedBans {
  readonly places: readonly Place[];
  readonly #byTarget: ReadonlyMap<string, readonly Place[]>;

  constructor(places: readonly Place[]) {
    this.places = places;
    this.#byTarget = byTarget(places);
  }

  apply(changes: readonly Enforcement[], now: Instant): Promise<readonly Refusal[]> {
    return this.#forEach(changes, now, (place, ours) => place.apply(ours, now));
  }

  /** Works in parts, with a turn of the event loop between them. */
  async replace(bans: Iterable<Enforcement>, now: Instant): Promise<readonly Refusal[]> {
    const reloads = new Map<Place, Reload>();
    for (const place of this.places) reloads.set(place, await place.reload(now));
    const refusals: Refusal[] = [];
    const take = async (part: readonly Enforcement[]): Promise<void> => {
      const refused = await this.#forEach(part, now, (place, ours) => reloads.get(place)?.take(ours) ?? []);
      refusals.push(...refused);
      await nextTurn();
    };
    let part: Enforcement[] = [];
    for (const ban of bans) {
      part.push(ban);
      if (part.length < PART) continue;
      await take(part);
      part = [];
    }
    await take(part);
    for (const reload of reloads.values()) refusals.push(...(await reload.finish()));
    return refusals;
  }

  async list(now: Instant): Promise<readonly Enforced[]> {
    const lists: Enforced[] = [];
    for (const place of this.places) for (const one of await place.list(now)) lists.push(one);
    return lists;
  }

  async missing(now: Instant): Promise<string | null> {
    for (const place of this.places) {
      const fact = await place.missing(now);
      if (fact !== null) return fact;
    }
    return null;
  }

  /** Elements in all places. */
  async count(): Promise<number> {
    let elements = 0;
    for (const place of this.places) elements += (await place.count?.()) ?? 0;
    return elements;
  }

  async #forEach(
    changes: readonly Enforcement[],
    now: Instant,
    act: (place: Place, ours: readonly Enforcement[]) => readonly Refusal[] | Promise<readonly Refusal[]>,
  ): Promise<readonly Refusal[]> {
    const last = await lastChanges(changes, this.#byTarget, now);
    const refusals = [...last.refusals];
    for (const [target, ours] of byTarget(last.changes.values())) {
      for (const place of this.#byTarget.get(target) ?? []) refusals.push(...(await act(place, ours)));
    }
    return refusals;
  }
}

/** Bans in one turn of the event loop: some milliseconds. */
const PART = 1000;

function byTarget<T extends { readonly target: string }>(
  all: Iterable<T>,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const group = groups.get(one.target);
    if (group === undefined) groups.set(one.target, [one]);
    else group.push(one);
  }
  return groups;
}

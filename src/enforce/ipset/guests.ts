import { StoplogError } from "../../core/errors.ts";
import { FOREVER, SECOND } from "../../core/time.ts";
import type { IpsetTarget } from "./kind.ts";
import { AdminSet, type ElementSet, RefusingPlace } from "../admin-sets/admin-set.ts";
import type { Place } from "../admin-sets/place.ts";
import { secondsUntil } from "./made-sets.ts";
import type { FoundSet, Sets } from "./sets.ts";

/** The places of a target with the operator's sets. Rejects with a StoplogError when a set is missing or has an unsupported type. */
export async function guestsOf(target: IpsetTarget, sets: Sets): Promise<readonly Place[]> {
  const guests: AdminSet[] = [];
  for (const name of target.sets) {
    const found = await sets.find(name);
    if (found === null) throw new StoplogError(`Cannot use the set ${name}: it does not exist`);
    guests.push(new AdminSet(target.name, elementSet(found, sets)));
  }
  return [...guests, new RefusingPlace(target.name, guests)];
}

/** Whether sets that had these names before, and may have been swapped since then, are of the same kinds. */
export function areSameKinds(before: readonly Place[], now: readonly Place[]): boolean {
  const kindsOf = (places: readonly Place[]): string =>
    places
      .flatMap((place) => (place instanceof AdminSet ? [place.set] : []))
      .map(({ label, family, networks, timeouts }) => [label, family, networks, timeouts].join())
      .join();
  return kindsOf(before) === kindsOf(now);
}

function elementSet({ name, type, family, timeouts }: FoundSet, sets: Sets): ElementSet {
  if (family === null || (type !== "hash:ip" && type !== "hash:net"))
    throw new StoplogError(`Cannot use the set ${name}: it is of type ${type}, not hash:ip or hash:net`);
  return {
    label: `the set ${name}`,
    family,
    networks: type === "hash:net",
    timeouts,
    widestFirst: false,
    change: (changes, now) =>
      sets.change(
        changes.map((change) => ({
          set: name,
          kind: change.kind,
          prefix: change.prefix,
          seconds: change.kind !== "delete" && timeouts ? secondsUntil(change.until, now) : null,
        })),
      ),
    has: (prefix) => sets.has(name, prefix),
    count: async () => (await sets.find(name))?.elements ?? 0,
    async list(now) {
      const elements = await sets.list(name);
      return elements.map(({ prefix, seconds }) => ({
        prefix,
        until: seconds === 0 ? FOREVER : now + seconds * SECOND,
      }));
    },
  };
}

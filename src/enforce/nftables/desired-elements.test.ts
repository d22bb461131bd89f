import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { address, V4_MARK } from "../../core/address.ts";
import { hostPrefix } from "../../core/prefix.ts";
import type { Enforcement } from "../enforcer.ts";
import { banSet } from "../ruleset/names.ts";
import { lastingBans } from "../ruleset/standing-sets.ts";
import { DesiredElements } from "./desired-elements.ts";

const NOW = 1_000_000;

describe("DesiredElements", () => {
  it.each(["v4", "v6"] as const)(
    "holds the lasting bans of an array of changes, in pieces of any size: %s",
    (family) => {
      const set = banSet("default", family, null);
      const ban = fc.record({ n: fc.nat(20), until: fc.constantFrom(NOW - 5, NOW, NOW + 1, Infinity) });
      fc.assert(
        fc.property(fc.array(ban, { maxLength: 600 }), fc.integer({ min: 1, max: 300 }), (bans, piece) => {
          const changes = bans.map(({ n, until }) => {
            const a = family === "v4" ? address(0, 0, V4_MARK, -n) : address(0x2001_0db8, n, 0, 7);
            const change: Enforcement = { kind: "ban", prefix: hostPrefix(a), target: "default", until };
            return { set, change };
          });
          const desired = new DesiredElements(set, NOW);
          for (const { change } of changes) desired.add(change);
          const pieces = [];
          for (let from = 0; from < desired.length; from += piece)
            pieces.push(...desired.slice(from, from + piece));
          expect(lastOf(pieces)).toEqual(lastOf(lastingBans(changes, NOW)));
        }),
      );
    },
  );
});

/** The elements after all changes. */
function lastOf(changes: readonly { readonly change: Enforcement }[]) {
  return new Map(changes.map(({ change }) => [JSON.stringify(change.prefix), change]));
}

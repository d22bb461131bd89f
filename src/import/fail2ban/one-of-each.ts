import type { Line } from "../yaml-page.ts";
import { nftables } from "../../enforce/nftables/kind.ts";
import type { Way } from "./ways.ts";

/** Merges the ways to one per enforcer, as a target needs: joins their ports and protocols. */
export function oneOfEach(ways: readonly Way[]): {
  readonly ways: readonly Way[];
  readonly said: readonly string[];
} {
  const found = new Map<string, Way>();
  const said = new Set<string>();
  for (const way of ways) {
    const written = valueOf(way, "enforcer");
    const enforcer = typeof written === "string" ? written : nftables.name;
    const before = found.get(enforcer);
    if (before === undefined) {
      found.set(enforcer, way);
      continue;
    }
    const isSame = JSON.stringify(bare(before)) === JSON.stringify(bare(way));
    if (isSame) found.set(enforcer, together(before, way));
    if (isSame && listOf(before, "ports").join() !== listOf(way, "ports").join())
      said.add("all its ports are banned for all its protocols");
    if (!isSame) said.add(`one target cannot have two ${enforcer} actions: only the first was converted`);
  }
  return { ways: [...found.values()], said: [...said] };
}

function together(one: Way, other: Way): Way {
  const [ports, protocols] = (["ports", "protocols"] as const).map((key) => [
    ...new Set([...listOf(one, key), ...listOf(other, key)]),
  ]);
  const all = [one, other].some((way) => listOf(way, "ports").length === 0);
  const any = [one, other].some((way) => listOf(way, "protocols").length === 0);
  const keys: readonly Line[] = [
    ...bare(one),
    ...(all || ports === undefined ? [] : [["ports", ports] as const]),
    ...(all || any || protocols === undefined ? [] : [["protocols", protocols] as const]),
  ];
  return { name: all ? "all" : one.name, keys };
}

/** The keys without ports and protocols. */
function bare({ keys }: Way): readonly Line[] {
  return keys.filter(([key]) => key !== "ports" && key !== "protocols");
}

function valueOf({ keys }: Way, name: string): unknown {
  return keys.find(([key]) => key === name)?.[1];
}

function listOf(way: Way, key: "ports" | "protocols"): readonly (string | number)[] {
  const value = valueOf(way, key);
  return Array.isArray(value) ? (value as readonly (string | number)[]) : [];
}

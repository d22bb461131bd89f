import { expect, it } from "vitest";
import { SECOND } from "../core/time.ts";
import { WaitingKinds } from "./waiting-kinds.ts";

it("tries a kind again after pauses that grow up to ten seconds, and names its targets", () => {
  const waiting = new WaitingKinds();
  const specs = ["a", "b", "b"].map((name) => ({ name, enforcer: "ipset" }));
  waiting.add("ipset", specs, "first");
  const tries: number[] = [];
  for (let now = 0; now <= 40 * SECOND; now += SECOND)
    for (const [kind, tried] of waiting.due(now)) {
      tries.push(now / SECOND);
      waiting.add(kind, tried, "again");
    }
  expect(tries).toEqual([1, 4, 9, 18, 29, 40]);
  expect([...waiting.targets()]).toEqual([
    ["a", "again"],
    ["b", "again"],
  ]);
  waiting.keep((kind) => kind !== "ipset");
  expect([waiting.size, waiting.first]).toEqual([0, null]);
});

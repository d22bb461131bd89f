import type { Config } from "../config/config.ts";
import { nftables } from "../enforce/nftables/kind.ts";
import type { Enforcing } from "./enforcing.ts";
import type { Lists, ListsDeps } from "./lists.ts";

/**
 * What works on a configuration's lists; null where there are none. Most configurations have none, and need nothing of what they
 * take: what an earlier run left of them is taken away then. Rejects with a sentence.
 */
export async function openLists(
  config: Pick<Config, "lists" | "stateDirectory">,
  enforcing: Enforcing,
  deps: ListsDeps,
): Promise<Lists | null> {
  if (config.lists.length > 0) {
    const { Lists } = await import("./lists.ts");
    return new Lists(config.stateDirectory, deps);
  }
  if (enforcing.all.some(({ enforcer }) => enforcer.kind === nftables.name)) await discardLists();
  return null;
}

async function discardLists(): Promise<void> {
  const { ListSets } = await import("../lists/kernel/list-sets.ts");
  await ListSets.discard();
}

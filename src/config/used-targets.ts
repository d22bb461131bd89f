import type { Config } from "./config.ts";

/**
 * The names of the targets at which something may ban without an order by hand: jails, origins of orders and lists. Null when there is
 * nothing of the kind, or a list, whose sets are in Stoplog's own table.
 */
export function usedTargets({
  jails = [],
  origins = [],
  lists = [],
}: Partial<Pick<Config, "jails" | "origins" | "lists">>): ReadonlySet<string> | null {
  const names = new Set([
    ...jails.flatMap(({ steps }) => steps.map(({ target }) => target)),
    ...origins.map(({ target }) => target),
  ]);
  return names.size === 0 || lists.length > 0 ? null : names;
}

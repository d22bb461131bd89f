import type { Order } from "../core/order.ts";
import { FOREVER, type Instant } from "../core/time.ts";
import type { RunningJail } from "./pipeline.ts";

/** Where orders find the jails that they name. */
export interface OrderedJails {
  readonly jails: readonly RunningJail[];
  readonly targets: readonly string[];
}

/** An order of the operator that names a jail: with the jail's target and bantime; of an unknown jail, at the first target. */
export function forJail(order: Order, { jails, targets }: OrderedJails): Order {
  const running = find(order, jails);
  const target = order.target ?? running?.jail.target ?? targets[0] ?? null;
  const duration = order.duration ?? running?.jail.bantime ?? null;
  return { ...order, target, duration, jail: running === undefined ? "" : (order.jail ?? "") };
}

/** The jail remembers bans that another program made, so that the next one is longer. */
export function rememberBans(order: Order, { jails }: OrderedJails, now: Instant): void {
  if (order.kind !== "ban" || order.times === undefined) return;
  const end = order.until ?? now + (order.duration ?? 0);
  if (end < FOREVER) find(order, jails)?.jail.rememberBans(order.prefix.address, order.times, end, now);
}

function find({ jail }: Order, jails: readonly RunningJail[]): RunningJail | undefined {
  return jail === undefined ? undefined : jails.find((running) => running.jail.options.name === jail);
}

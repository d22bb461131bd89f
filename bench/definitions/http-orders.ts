import type { HttpOrdersDefinition } from "../definition.ts";

export const httpOrders: HttpOrdersDefinition = {
  workload: "http-orders",
  name: "orders-http",
  question: "How many orders a second does the API take over TCP, in batches, until they are in the kernel?",
  target: "≥ 20,000 orders/s",
  analysis:
    "The client is the bench's own process; it makes its requests beforehand, and each answer comes after the kernel has the bans. On few cores client and daemon share them. CPU is the daemon's, saving to disk included.",
  orders: 200_000,
  batch: 1000,
  connections: 4,
};

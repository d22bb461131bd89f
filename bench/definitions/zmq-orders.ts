import type { ZmqOrdersDefinition } from "../definition.ts";

export const zmqOrders: ZmqOrdersDefinition = {
  workload: "zmq-orders",
  name: "orders-zmq",
  question: "How fast do orders from a message bus reach the kernel, and how did Swabber do it?",
  target: "≥ 200,000 bans/s on one core; p99 ≤ 5 ms at 1,000/s",
  analysis:
    "CPU is all of the daemon's: libzmq's thread, the kernel's part of putting an address into a set and what is saved to disk; 'bans a second of CPU' is what one core would do with nothing else on it. bans/s go by the clock and are less where the sender, which is a process of its own, and others share the cores. Swabber's way is measured by its two programs alone, beginning with an empty chain: each further ban lists all those before it, so the figure falls with their number.",
  orders: 300_000,
  paced: 5000,
  pauseMicros: 1000,
  swabbers: 500,
};

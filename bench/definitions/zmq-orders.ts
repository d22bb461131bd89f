import type { ZmqOrdersDefinition } from "../definition.ts";

export const zmqOrders: ZmqOrdersDefinition = {
  workload: "zmq-orders",
  name: "orders-zmq",
  question: "How fast do orders from a message bus reach the kernel, and how did Swabber do it?",
  target: "≥ 200,000 bans/s on one core; p99 ≤ 5 ms at 1,000/s",
  analysis:
    "CPU is the daemon's: libzmq's thread, the kernel's work to add an address to a set, and saving to disk; 'bans per second of CPU' is the rate of one core without other work. bans/s are by the clock, and lower where the sender, a process of its own, and others share the cores. Swabber's way is measured by its two programs alone, starting with an empty chain: each ban lists all earlier ones, so the rate falls with their number.",
  orders: 300_000,
  paced: 5000,
  pauseMicros: 1000,
  swabbers: 500,
};

import type { Definition } from "../definition.ts";
import { memoryUse, startAndRest } from "./at-rest.ts";
import { bystanders } from "./bystanders.ts";
import { enforcers } from "./enforcers.ts";
import { everyLine } from "./every-line.ts";
import { floods } from "./floods.ts";
import { latencies } from "./latencies.ts";
import { httpOrders } from "./http-orders.ts";
import { literals } from "./literals.ts";
import { lists } from "./lists.ts";
import { noInterest } from "./no-interest.ts";
import { packetFloods } from "./packet-floods.ts";
import { packets } from "./packets.ts";
import { resetConnections } from "./reset-connections.ts";
import { smallComputer } from "./small-computer.ts";
import { upgrades } from "./upgrades.ts";
import { worstLines } from "./worst-lines.ts";
import { zmqOrders } from "./zmq-orders.ts";

/** In the order of the run. */
export const DEFINITIONS: readonly Definition[] = [
  ...noInterest,
  ...everyLine,
  ...literals,
  worstLines,
  startAndRest,
  memoryUse,
  ...latencies,
  ...floods,
  ...bystanders,
  ...packets,
  ...packetFloods,
  httpOrders,
  zmqOrders,
  resetConnections,
  enforcers,
  lists,
  upgrades,
  ...smallComputer,
];

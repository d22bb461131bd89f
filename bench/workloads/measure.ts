import type { Definition } from "../definition.ts";
import { budget } from "./budget.ts";
import { bystanders } from "./bystanders.ts";
import { enforcers } from "./enforcers.ts";
import { flood } from "./flood.ts";
import { latency } from "./latency.ts";
import { literals } from "./literals.ts";
import { lists } from "./lists.ts";
import { memory } from "./memory.ts";
import { httpOrders } from "./http-orders.ts";
import { packetFlood } from "./packet-flood.ts";
import { packets } from "./packets.ts";
import { reset } from "./reset.ts";
import { scan } from "./scan.ts";
import { start } from "./start.ts";
import { upgrade } from "./upgrade.ts";
import type { Report, Settings } from "./workload.ts";
import { worstLine } from "./worst-line.ts";
import { zmqOrders } from "./zmq-orders.ts";

export function measure(definition: Definition, settings: Settings): Promise<Report> {
  switch (definition.workload) {
    case "scan":
      return scan.run(definition, settings);
    case "literals":
      return literals.run(definition, settings);
    case "flood":
      return flood.run(definition, settings);
    case "latency":
      return latency.run(definition, settings);
    case "memory":
      return memory.run(definition, settings);
    case "start":
      return start.run(definition, settings);
    case "worst-line":
      return worstLine.run(definition, settings);
    case "budget":
      return budget.run(definition, settings);
    case "bystanders":
      return bystanders.run(definition, settings);
    case "http-orders":
      return httpOrders.run(definition, settings);
    case "zmq-orders":
      return zmqOrders.run(definition, settings);
    case "packets":
      return packets.run(definition, settings);
    case "packet-flood":
      return packetFlood.run(definition, settings);
    case "enforcers":
      return enforcers.run(definition, settings);
    case "lists":
      return lists.run(definition, settings);
    case "upgrade":
      return upgrade.run(definition, settings);
    case "reset":
      return reset.run(definition, settings);
  }
}

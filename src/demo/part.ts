import { StoplogError } from "../core/errors.ts";
import type { Io } from "../cli/output/io.ts";
import { attack } from "./attackers.ts";
import { Parent } from "./parent.ts";
import type { Plan } from "./plan.ts";
import { serve } from "./service.ts";
import { visit } from "./users.ts";

/** What a part does: each is a process in a namespace. */
export type Order =
  | { readonly role: "service"; readonly log: string; readonly host: string }
  | { readonly role: "attackers"; readonly plan: Plan }
  | { readonly role: "users"; readonly seconds: number };

/** Runs a part to its end; `order` is JSON of the director. */
export async function runPart(order: string, io: Io): Promise<void> {
  const parent = new Parent(io);
  const what = readOrder(order);
  switch (what.role) {
    case "service":
      return serve(what.log, what.host, parent);
    case "attackers":
      return attack(what.plan, parent);
    case "users":
      return visit(what.seconds, parent);
  }
}

/** The director is this program, so the shape is trusted. */
function readOrder(text: string): Order {
  try {
    return JSON.parse(text) as Order;
  } catch (error) {
    throw new StoplogError("Cannot read the order: not JSON; this command is internal to the demo", {
      cause: error,
    });
  }
}

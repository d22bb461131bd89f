import { CommandEnforcer } from "../../src/enforce/command/enforcer.ts";
import type { CommandTarget } from "../../src/enforce/command/kind.ts";
import { enforcerConformance } from "./enforcer.ts";

enforcerConformance("command", {
  make: () => new CommandEnforcer(),
  outlives: false,
  bounded: false,
  tolerance: 0,
  rounds: 15,
  many: 100,
  targets: [target("default"), target("slow"), batching(target("web"))],
});

function batching(target: CommandTarget): CommandTarget {
  return { ...target, batch: true };
}

function target(name: string): CommandTarget {
  const options = { start: null, stop: null, ban: ["true"], unban: ["true"] };
  return { name, enforcer: "command", ...options, batch: false, timeout: 10_000, parallel: 4 };
}

import { MemoryEnforcer } from "../../src/enforce/dry-run/memory.ts";
import { enforcerConformance } from "./enforcer.ts";

enforcerConformance("the dry run", {
  make: () => new MemoryEnforcer(),
  outlives: false,
  bounded: false,
  tolerance: 0,
  rounds: 200,
});

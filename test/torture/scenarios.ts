import type { Scenario } from "./scenario.ts";
import { brokenFiles } from "./scenarios/broken-files.ts";
import { fullDisk } from "./scenarios/full-disk.ts";
import { fullSets } from "./scenarios/full-sets.ts";
import { kills } from "./scenarios/kills.ts";
import { repairs } from "./scenarios/repairs.ts";

/** In the order in which they run. A new scenario is a file and a line here. */
export const SCENARIOS: readonly Scenario[] = [kills, brokenFiles, repairs, fullSets, fullDisk];

// Prints the names of all limits as JSON; scripts/limit-tests.mjs compares them with the tests that ran.

import { allLimits } from "../src/enforce/kinds.ts";

process.stdout.write(JSON.stringify(Object.keys(allLimits())));

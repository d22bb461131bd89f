// Searches for slow lines, for each filter of the library and for patterns as users write them; prints the time of the worst
// chunk of 8 KiB.
//
//   node scripts/run-ts.mjs test/fuzz/slow-lines.ts [--seconds 60] [--seed 1] [NAME …]

import { parseArgs } from "node:util";
import { searchSlowest, targets } from "./slow-line-search.ts";

const { values, positionals } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, seed: { type: "string", default: "1" } },
  allowPositionals: true,
});
const chosen = targets().filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const share = (Number(values.seconds) * 1000) / chosen.length;

for (const target of chosen) {
  const { milliseconds, work, line, tried } = searchSlowest(target, share, Number(values.seed));
  const figures = `${milliseconds.toFixed(2).padStart(8)} ms ${work.toFixed(0).padStart(8)} steps`;
  process.stdout.write(
    `${target.name.padEnd(40)} ${figures} ${String(line.length).padStart(5)} bytes, ${tried} tried: ${JSON.stringify(line.slice(0, 100))}\n`,
  );
}

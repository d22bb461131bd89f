// Runs the bench: see USAGE. The report goes to standard output, progress to standard error. Exit status 1 when a result was wrong.

import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { build, isBuilt } from "../scripts/build.mjs";
import { DEFINITIONS } from "./definitions/all.ts";
import { thisMachine } from "./harness/machine.ts";
import { WrongResult } from "./harness/outcome.ts";
import { type Recorded, writeRecord } from "./harness/record.ts";
import { renderTable } from "./harness/table.ts";
import { measure } from "./workloads/measure.ts";
import type { Settings } from "./workloads/workload.ts";

const USAGE = `usage: npm run bench -- [NAME…] [OPTIONS]

Runs all definitions, or the ones whose names begin with a NAME.

  --list        prints the definitions
  --quick       small and short, two rounds: checks that everything works
  --rounds N    number of rounds (default 5)
  --full        runs rivals that need minutes in every round too
  --record      also writes bench/record/DATE-MACHINE.json
  --help        prints this page

bench/README.md explains how it is laid out, bench/BIAS.md why to distrust the figures.`;

const { values, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    record: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
    rounds: { type: "string" },
  },
});
const settings: Settings = {
  rounds: Number(values.rounds ?? (values.quick ? 2 : 5)),
  quick: values.quick,
  full: values.full,
};
if (!Number.isInteger(settings.rounds) || settings.rounds < 1)
  stop(`--rounds must be a positive integer, not ${values.rounds}`);
const chosen = DEFINITIONS.filter(
  ({ name }) => names.length === 0 || names.some((prefix) => name.startsWith(prefix)),
);
if (chosen.length === 0) stop(`No definition begins with ${names.join(" or ")}; --list prints them`);

if (values.help) console.log(USAGE);
else if (values.list) for (const { name, question } of chosen) console.log(`${name.padEnd(24)} ${question}`);
else await run();

async function run(): Promise<void> {
  if (!isBuilt()) await build();
  const machine = thisMachine();
  console.log(`${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, Node ${machine.node}`);
  console.log(
    Object.entries(machine.versions)
      .map(([name, version]) => `${name}: ${version}`)
      .join("; "),
  );
  if (settings.quick)
    console.log(
      "Quick: smaller and shorter than the definitions, to check that everything works. Not for publication.",
    );
  const load = loadavg()[0] ?? 0;
  if (load > 0.5)
    console.log(`This machine is not idle: its load is ${load.toFixed(2)}. The figures are less reliable.`);
  const results: Recorded[] = [];
  for (const definition of chosen) {
    console.log(`\n${definition.name}: ${definition.question}\nTo reach: ${definition.target}`);
    try {
      const report = await measure(definition, settings);
      console.log(`${report.setting}\n\n${renderTable(report.columns, report.outcomes)}`);
      results.push({ definition, report });
    } catch (error) {
      if (!(error instanceof WrongResult)) throw error;
      console.log(`WRONG: ${error.message}`);
      process.exitCode = 1;
    }
  }
  if (values.record) console.log(`\nRecorded in ${writeRecord(results, machine, settings, new Date())}`);
}

function stop(sentence: string): never {
  console.error(sentence);
  process.exit(2);
}

import type { LiteralsDefinition } from "../definition.ts";
import type { LiteralsTask } from "../engines/scan-by-literals.ts";
import { bundledEngine } from "../harness/engine-bundle.ts";
import { type Figures, WrongResult } from "../harness/outcome.ts";
import { runProgram } from "../harness/program.ts";
import { type Contestant, runRounds } from "../harness/rounds.ts";
import type { Workload } from "./workload.ts";

/** The matcher alone, for each way to choose literals, on each corpus. */
export const literals: Workload<LiteralsDefinition> = {
  async run({ patterns, lines }, settings) {
    const size = settings.quick ? lines / 10 : lines;
    const contestants = (["fixed", "once", "learned"] as const).map((way): Contestant => ({
      who: way,
      missing: null,
      run: () => once({ way, patterns, lines: size }),
    }));
    const outcomes = await runRounds(contestants, settings.rounds);
    return { columns: COLUMNS, outcomes, setting: `${size} lines of each corpus, patterns: ${patterns}` };
  },
};

const COLUMNS = [
  { key: "sshd", label: "sshd MB/s", digits: 0, compared: true },
  { key: "nginx", label: "nginx MB/s", digits: 0, compared: true },
  { key: "mail", label: "mail MB/s", digits: 0, compared: true },
  { key: "named", label: "named MB/s", digits: 0, compared: true },
  { key: "mixed", label: "all mixed MB/s", digits: 0, compared: true },
  { key: "json", label: "JSON MB/s", digits: 0, compared: true },
  { key: "changed", label: "JSON after sshd MB/s", digits: 0, compared: true },
] as const;

async function once(task: LiteralsTask): Promise<Figures> {
  const command = [...(await bundledEngine("scan-by-literals")), JSON.stringify(task)];
  const { status, stdout, stderr } = await runProgram(command, { timeoutMs: 600_000 });
  if (status !== 0) throw new WrongResult(`${task.way} failed: ${stderr.slice(-1000)}`);
  return JSON.parse(stdout) as Figures;
}

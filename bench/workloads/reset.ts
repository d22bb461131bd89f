import type { ResetDefinition } from "../definition.ts";
import type { ResetResult, ResetTask } from "../engines/reset-connections.ts";
import { bundledEngine } from "../harness/engine-bundle.ts";
import { Namespace } from "../harness/namespace.ts";
import { type Figures, verify, WrongResult } from "../harness/outcome.ts";
import { findProgram, runProgram } from "../harness/program.ts";
import { type Contestant, runRounds } from "../harness/rounds.ts";
import type { Workload } from "./workload.ts";

/** A conntrack table full of connections of addresses that are banned at the same time, until the last one is cut. */
export const reset: Workload<ResetDefinition> = {
  async run(definition, settings) {
    const scale = settings.quick ? 0.1 : 1;
    const entries = Math.round(definition.entries * scale);
    const others = Math.round(definition.others * scale);
    const contestants = definition.engines.map(({ name, share = 1 }): Contestant => {
      const addresses = Math.round(definition.addresses * scale);
      const banned = Math.max(1, Math.round(addresses * share));
      return {
        who: name,
        missing: missing(name),
        ...(share === 1 ? {} : { note: `bans ${banned} of the ${addresses} addresses` }),
        run: () => once({ engine: name, addresses, banned, entries, others }),
      };
    });
    const outcomes = await runRounds(contestants, settings.rounds);
    const setting = `${definition.addresses * scale} addresses with ${entries} entries, and ${others} of others`;
    return { columns: COLUMNS, outcomes, setting };
  },
};

const COLUMNS = [
  { key: "longestTurnMs", label: "longest turn ms", digits: 1, compared: true },
  { key: "longestTurnCpuMs", label: "by CPU ms", digits: 1 },
  { key: "idleTurnMs", label: "idle ms", digits: 1 },
  { key: "perAddressMs", label: "ms an address", digits: 2, compared: true },
  { key: "tookMs", label: "all ms", digits: 0 },
  { key: "cpuMs", label: "CPU ms", digits: 0 },
] as const;

function missing(engine: string): string | null {
  if (engine === "conntrack" && findProgram("conntrack") === null) {
    return "conntrack is not installed (apt install conntrack)";
  }
  return Namespace.missing();
}

/** In a namespace of its own, whose table the engine fills; the remaining entries are verified. */
async function once(task: ResetTask): Promise<Figures> {
  const space = Namespace.open();
  try {
    const command = space.wrap([...(await bundledEngine("reset-connections")), JSON.stringify(task)]);
    const { status, stdout, stderr } = await runProgram(command, { timeoutMs: 300_000 });
    if (status !== 0) throw new WrongResult(`${task.engine} failed: ${stderr.slice(-1000)}`);
    const result = JSON.parse(stdout) as ResetResult;
    const cut = Math.round((task.entries * task.banned) / task.addresses);
    verify(task.engine, "entries before", result.before, task.entries + task.others);
    verify(task.engine, "entries after", result.after, task.entries + task.others - cut);
    const { longestTurnMs, longestTurnCpuMs, idleTurnMs, tookMs, cpuMs } = result;
    return { longestTurnMs, longestTurnCpuMs, idleTurnMs, perAddressMs: tookMs / task.banned, tookMs, cpuMs };
  } finally {
    space.close();
  }
}

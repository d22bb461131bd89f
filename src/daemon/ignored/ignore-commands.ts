import type { JailConfig } from "../../config/config.ts";
import type { Address } from "../../core/address.ts";
import { counter, declareMetrics } from "../../core/metrics.ts";
import { runProgram } from "../../core/run-program.ts";
import { type Duration, type Instant, SECOND } from "../../core/time.ts";
import type { Trouble } from "../../core/trouble.ts";
import { IgnoreCommand } from "./ignore-command.ts";
import { IgnoreRuns, type RunProgram } from "./ignore-runs.ts";

export interface IgnoreCommandsDeps {
  readonly now: () => Instant;
  readonly ignored: (jail: string, address: Address) => void;
  readonly run?: RunProgram | undefined;
}

type IgnoreFigures = Record<"asked" | "found" | "failed" | "dropped" | "forgotten", number>;

/** The ignore commands of all jails. A reload keeps the answers of a command that stays. */
export class IgnoreCommands {
  readonly #deps: IgnoreCommandsDeps;
  readonly #runs: IgnoreRuns;
  /** By jail. */
  #all: ReadonlyMap<string, IgnoreCommand> = new Map();

  constructor(deps: IgnoreCommandsDeps) {
    this.#deps = deps;
    this.#runs = new IgnoreRuns(deps.run ?? runs);
  }

  follow(jails: readonly JailConfig[]): void {
    const before = this.#all;
    const { now, ignored } = this.#deps;
    this.#all = new Map(
      jails.flatMap(({ name, ignoreCommand }) => {
        if (ignoreCommand === undefined) return [];
        const known = before.get(name);
        const isSame = known !== undefined && JSON.stringify(known.config) === JSON.stringify(ignoreCommand);
        const command = isSame
          ? known
          : new IgnoreCommand(name, ignoreCommand, { runs: this.#runs, now, ignored });
        return [[name, command] as const];
      }),
    );
  }

  of(jail: string): IgnoreCommand | null {
    return this.#all.get(jail) ?? null;
  }

  get figures(): IgnoreFigures {
    const figures = { asked: 0, found: 0, failed: 0, dropped: this.#runs.dropped, forgotten: 0 };
    for (const { asked, found, failed, forgotten } of this.#all.values()) {
      figures.asked += asked;
      figures.found += found;
      figures.failed += failed;
      figures.forgotten += forgotten;
    }
    return figures;
  }

  *troubles(): Generator<Trouble> {
    for (const [jail, { fault }] of this.#all)
      if (fault !== null)
        yield {
          of: `ignorecommand of ${jail}`,
          sentence: `Cannot ask the ignorecommand of jail ${jail}: ${fault}`,
        };
  }
}

const TIME_LIMIT: Duration = 10 * SECOND;

const runs: RunProgram = (argv) => runProgram(argv, { timeout: TIME_LIMIT, stopsLeftovers: true });

declareMetrics(
  { at: "ignorecommand" },
  {
    asked: counter("stoplog_ignorecommand_asked_total", "Addresses about which an ignorecommand was asked."),
    found: counter(
      "stoplog_ignorecommand_ignored_total",
      "Addresses that an ignorecommand said must not be banned.",
    ),
    failed: counter(
      "stoplog_ignorecommand_failed_total",
      "Runs of an ignorecommand without an answer: the address counts as others do.",
    ),
    dropped: counter(
      "stoplog_ignorecommand_dropped_total",
      "Failures of addresses about which no ignorecommand was asked: too many runs were waiting.",
    ),
    forgotten: counter(
      "stoplog_ignorecommand_forgotten_total",
      "Answers of ignorecommands that were forgotten early to make room.",
    ),
  },
);

import type { Instant } from "../core/time.ts";
import type { TargetConfig } from "../config/config.ts";
import { kindOf } from "../enforce/kinds.ts";
import { AfterBanWatch } from "../observe/after-ban.ts";
import { FloodLog } from "../observe/flood-log.ts";
import type { Log } from "../observe/log.ts";
import { type LoopFigures, LoopDelay } from "../observe/loop-delay.ts";
import { ShedLog } from "../observe/shed-log.ts";
import type { RunningJail } from "./pipeline.ts";
import type { Watched } from "./watching.ts";

/** Looks at all counters once a second and says in the log, in a few sentences, what somebody should know. */
export class Reports {
  readonly #log: Log;
  readonly #flood = new FloodLog();
  readonly #shed = new ShedLog();
  readonly #afterBan = new AfterBanWatch();
  readonly #loop = new LoopDelay();
  #bytes = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /** How long the event loop was held up lately. */
  get loop(): LoopFigures {
    return this.#loop.figures;
  }

  tick(
    now: Instant,
    jails: readonly RunningJail[],
    watched: readonly Watched[],
    targets: readonly TargetConfig[],
  ): void {
    const bytes = watched.reduce((sum, { source }) => sum + source.stats.bytes, 0);
    this.#loop.tick(bytes - this.#bytes > MUCH);
    this.#bytes = bytes;
    const counts = jails.map(({ jail }) => ({ name: jail.options.name, ...jail.stats }));
    const flood = this.#flood.tick(now, counts, watched.map(flowing));
    if (flood !== null) this.#log.info(flood);
    const keepOut = new Set(
      targets
        .filter(({ enforcers }) => enforcers.some((spec) => kindOf(spec).keepsOut(spec)))
        .map((target) => target.name),
    );
    const held = jails.filter(({ jail }) => jail.lastTargets.every((target) => keepOut.has(target)));
    const loose = this.#afterBan.tick(
      now,
      held.map(({ jail }) => ({ name: jail.options.name, afterBan: jail.stats.afterBan })),
    );
    if (loose !== null) this.#log.warn(loose);
    const losses = watched.map(({ source }) => ({
      name: source.name,
      ...source.stats,
      unit: source.kind === "nflog" ? ("packet" as const) : ("line" as const),
    }));
    for (const sentence of this.#shed.tick(now, losses)) this.#log.warn(sentence);
    for (const { source, flow } of watched) {
      const blind = flow.blindness.news(source.name, now);
      if (blind !== null) this.#log.warn(blind);
    }
  }

  /** What the status warns of. */
  warnings(now: Instant, watched: readonly Watched[]): string[] {
    const blind = watched.flatMap(({ source, flow }) => flow.blindness.warning(source.name, now) ?? []);
    return [...this.#afterBan.warnings(), ...blind];
  }

  close(): void {
    this.#loop.close();
  }
}

/** A source that stands still is not behind, however old its last line was. */
function flowing({ source, flow }: Watched): { readonly lag: number | null; readonly later: number } {
  return { lag: flow.meter.linesPerSecond > 0 ? flow.lag : null, later: source.stats.laterBytes };
}

/** Bytes in a second, some hundred lines: with less there is nothing that could hold up the loop. */
const MUCH = 64 * 1024;

import type { Instant } from "../core/time.ts";
import { kindOf } from "../enforce/kinds.ts";
import { AfterBanWatch } from "../observe/after-ban.ts";
import { FloodLog } from "../observe/flood-log.ts";
import type { Log } from "../observe/log.ts";
import { LoopDelay } from "../observe/loop-delay.ts";
import { ShedLog } from "../observe/shed-log.ts";
import type { Feature, StatusFragment } from "./feature.ts";
import type { Jails } from "./jails.ts";
import type { Sources, Watched } from "./sources.ts";
import type { Targets } from "./targets.ts";

export interface ReportsDeps {
  readonly jails: Jails;
  readonly sources: Sources;
  readonly targets: Targets;
  readonly log: Log;
}

/** Reads the counters once a second and logs floods, losses and bans that do not hold, in a few sentences. */
export class Reports implements Feature {
  readonly name = "reports";
  readonly #deps: ReportsDeps;
  readonly #flood = new FloodLog();
  readonly #shed = new ShedLog();
  readonly #afterBan = new AfterBanWatch();
  readonly #loop = new LoopDelay();
  #bytes = 0;

  constructor(deps: ReportsDeps) {
    this.#deps = deps;
  }

  tick(now: Instant): void {
    const { log } = this.#deps;
    const jails = this.#deps.jails.all;
    const watched = this.#deps.sources.all;
    const targets = this.#deps.targets.enforced;
    const bytes = watched.reduce((sum, { source }) => sum + source.stats.bytes, 0);
    this.#loop.tick(bytes - this.#bytes > MUCH);
    this.#bytes = bytes;
    const counts = jails.map(({ jail }) => ({ name: jail.options.name, ...jail.stats }));
    const flood = this.#flood.tick(now, counts, watched.map(flowing));
    if (flood !== null) log.info(flood);
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
    if (loose !== null) log.warn(loose);
    const losses = watched.map(({ source }) => ({
      name: source.name,
      ...source.stats,
      unit: source.kind === "nflog" ? ("packet" as const) : ("line" as const),
    }));
    for (const sentence of this.#shed.tick(now, losses)) log.warn(sentence);
    for (const { source, flow } of watched) {
      const blind = flow.blindness?.news(source.name, now) ?? null;
      if (blind !== null) log.warn(blind);
    }
  }

  status(): StatusFragment {
    return { loop: this.#loop.figures };
  }

  warnings(): readonly string[] {
    return this.#afterBan.warnings();
  }

  close(): void {
    this.#loop.close();
  }
}

/** An idle source is not behind, however old its last line is. */
function flowing({ source, flow }: Watched): { readonly lag: number | null; readonly later: number } {
  return { lag: flow.meter.linesPerSecond > 0 ? (flow.lag ?? null) : null, later: source.stats.laterBytes };
}

/** Bytes a second, some hundred lines: less input cannot hold up the event loop. */
const MUCH = 64 * 1024;

import type { Config } from "../config/config.ts";
import { systemClock } from "../core/clock.ts";
import type { Log } from "../observe/log.ts";
import { openSource, type SourceOptions } from "../source/open-source.ts";
import type { Source, SourcePosition } from "../source/source.ts";
import { supervise } from "../source/supervise.ts";
import { Flow, type PipelineParts, type Wiring } from "./pipeline.ts";

/** A source at work, with the flow its lines go through. */
export interface Watched {
  readonly source: Source;
  readonly flow: Flow;
  readonly options: SourceOptions;
}

interface Running extends Watched {
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/** The sources of a configuration, each under supervision; a reload leaves alone those that stay as they are. */
export class Watching {
  readonly #parts: PipelineParts;
  readonly #log: Log;
  readonly #running = new Map<string, Running>();

  constructor(parts: PipelineParts, log: Log) {
    this.#parts = parts;
    this.#log = log;
  }

  get all(): readonly Watched[] {
    return [...this.#running.values()];
  }

  /** Starts what is new, stops what is gone, and gives the rest its new wiring. */
  async follow(
    config: Config,
    wirings: ReadonlyMap<string, Wiring>,
    positions: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const reached: Record<string, unknown> = { ...positions };
    for (const [name, running] of this.#running) {
      const options = config.sources.get(name);
      if (options !== undefined && sameOptions(options, running.options)) continue;
      reached[name] = await this.#stop(name);
    }
    for (const [name, wiring] of wirings) {
      const options = config.sources.get(name);
      const there = this.#running.get(name);
      if (there !== undefined) there.flow.rewire(wiring);
      else if (options !== undefined) this.#start(name, options, wiring, reached[name]);
    }
  }

  /** Stops all; answers how far each has read in the end. */
  async stop(): Promise<Record<string, SourcePosition>> {
    const stopped = [...this.#running.keys()].map(async (name) => [name, await this.#stop(name)] as const);
    const reached = (await Promise.all(stopped)).flatMap(([name, position]) =>
      position === null ? [] : [[name, position] as const],
    );
    return Object.fromEntries(reached);
  }

  /** How far each source has read, for the store. */
  positions(): Record<string, SourcePosition> {
    const known = this.all.flatMap(({ source }) => {
      const position = source.position();
      return position === null ? [] : [[source.name, position] as const];
    });
    return Object.fromEntries(known);
  }

  #start(name: string, options: SourceOptions, wiring: Wiring, position: unknown): void {
    const saved = typeof position === "object" && position !== null ? (position as SourcePosition) : null;
    const source = openSource(name, options, saved);
    const flow = new Flow(wiring, this.#parts);
    flow.meter.tick(systemClock.now());
    const abort = new AbortController();
    const done = supervise(source, flow.sink, abort.signal, {
      log: (sentence) => this.#log.warn(sentence),
    });
    this.#running.set(name, { source, flow, options, abort, done });
  }

  /** How far it had read when it had stopped. */
  async #stop(name: string): Promise<SourcePosition | null> {
    const running = this.#running.get(name);
    this.#running.delete(name);
    running?.abort.abort();
    await running?.done;
    return running?.source.position() ?? null;
  }
}

function sameOptions(a: SourceOptions, b: SourceOptions): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

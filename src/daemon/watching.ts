import type { Config, SourceConfig } from "../config/config.ts";
import { systemClock } from "../core/clock.ts";
import type { Log } from "../observe/log.ts";
import {
  type LineSourceOptions,
  type NflogOptions,
  openOrderSource,
  openPacketSource,
  openSource,
  type SourceOptions,
} from "../source/open-source.ts";
import type { Source, SourceOf, SourcePosition } from "../source/source.ts";
import { supervise } from "../source/supervise.ts";
import type { OrderGate } from "../orders/gate.ts";
import { readOrder } from "../orders/read-order.ts";
import type { LineMeter } from "./line-meter.ts";
import { OrderFlow } from "./order-flow.ts";
import { PacketFlow, type PacketParts, type PacketWiring } from "./packet-flow.ts";
import { Flow, type Wiring } from "./pipeline.ts";

/** A source at work, with the flow its lines or packets go through. */
export interface Watched {
  readonly source: Pick<Source, "name" | "kind" | "stats" | "position">;
  readonly flow: WatchedFlow;
  readonly options: SourceOptions;
}

/** What is told of a flow. */
export type WatchedFlow = Pick<Flow, "lag" | "refused" | "blindness" | "givenUp" | "statesForgotten"> & {
  readonly meter: Pick<LineMeter, "lines" | "linesPerSecond" | "bytesPerSecond" | "tick">;
};

/** What is looked for in each source, by its name. */
export interface Wirings {
  readonly lines: ReadonlyMap<string, Wiring>;
  readonly packets: ReadonlyMap<string, PacketWiring>;
}

interface Running extends Watched {
  readonly rewire: (wirings: Wirings) => void;
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/** The sources of a configuration, each under supervision; a reload leaves alone those that stay as they are. */
export class Watching {
  readonly #parts: PacketParts;
  readonly #gate: OrderGate;
  readonly #log: Log;
  readonly #running = new Map<string, Running>();

  constructor(parts: PacketParts, gate: OrderGate, log: Log) {
    this.#parts = parts;
    this.#gate = gate;
    this.#log = log;
  }

  get all(): readonly Watched[] {
    return [...this.#running.values()];
  }

  /** Starts what is new, stops what is gone, and gives the rest its new wiring. */
  async follow(
    config: Config,
    wirings: Wirings,
    positions: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const reached: Record<string, unknown> = { ...positions };
    for (const [name, running] of this.#running) {
      const options = config.sources.get(name);
      if (options !== undefined && sameOptions(options, running.options)) continue;
      reached[name] = await this.#stop(name);
    }
    for (const [name, options] of config.sources) {
      const there = this.#running.get(name);
      if (there !== undefined) there.rewire(wirings);
      else if (options.orders !== undefined) this.#obey(name, options, reached[name]);
      else if (options.type === "nflog") this.#listen(name, options, wirings);
      else if (options.type === "zmq") continue; // always one of orders
      else this.#read(name, options, wirings, reached[name]);
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

  #read(name: string, options: LineSourceOptions, { lines }: Wirings, position: unknown): void {
    const wiring = lines.get(name);
    if (wiring === undefined) return;
    const source = openSource(name, options, savedPosition(position));
    const flow = new Flow(wiring, this.#parts);
    const rewire = (now: Wirings): void => flow.rewire(now.lines.get(name) ?? wiring);
    this.#start(source, flow.sink, { flow, options, rewire });
  }

  /** A source of orders, or of lines that are orders. */
  #obey(name: string, options: SourceConfig, position: unknown): void {
    if (options.type === "nflog") return;
    const flow = new OrderFlow(this.#gate, options.orders?.origin ?? name, this.#parts.clock);
    const rest = { flow, options, rewire: () => undefined };
    if (options.type === "zmq") {
      const say = (sentence: string): void => this.#log.info(sentence);
      this.#start(openOrderSource(name, options, { readOrder, say }), flow.orders, rest);
    } else this.#start(openSource(name, options, savedPosition(position)), flow.lines, rest);
  }

  #listen(name: string, options: NflogOptions, { packets }: Wirings): void {
    const wiring = packets.get(name);
    if (wiring === undefined) return;
    const flow = new PacketFlow(wiring, this.#parts);
    const rewire = (now: Wirings): void => flow.rewire(now.packets.get(name) ?? wiring);
    this.#start(openPacketSource(name, options), flow.sink, { flow, options, rewire });
  }

  #start<Batch>(
    source: SourceOf<Batch>,
    sink: (batch: Batch) => void,
    rest: Pick<Running, "flow" | "options" | "rewire">,
  ): void {
    rest.flow.meter.tick(systemClock.now());
    const abort = new AbortController();
    const done = supervise(source, sink, abort.signal, {
      log: (sentence) => this.#log.warn(sentence),
    });
    this.#running.set(source.name, { source, ...rest, abort, done });
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

function savedPosition(position: unknown): SourcePosition | null {
  return typeof position === "object" && position !== null ? (position as SourcePosition) : null;
}

function sameOptions(a: SourceOptions, b: SourceOptions): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

import type { StatusReply } from "../api/wire.ts";
import { lossOf } from "../observe/shed-log.ts";
import type { Config, SourceConfig } from "../config/config.ts";
import { BackOff, type Pauses } from "../core/back-off.ts";
import { cannot } from "../core/errors.ts";
import { type Instant, SECOND } from "../core/time.ts";
import type { Trouble } from "../core/trouble.ts";
import { counted } from "../core/wording.ts";
import type { Log } from "../observe/log.ts";
import type { SourceKind, SourceOptions } from "../source/kind.ts";
import { serially } from "../enforce/serially.ts";
import { kindOf } from "../source/kinds.ts";
import { newSourceStats, type Source, type SourceOf, type SourcePosition } from "../source/source.ts";
import { supervise, type Supervision } from "../source/supervise.ts";
import type { OrderGate } from "../orders/gate.ts";
import { readOrder } from "../orders/read-order.ts";
import type { BanFile } from "./ban-file.ts";
import { buildPacketWirings, buildWirings } from "./build-wirings.ts";
import type { Feature, Move, Settings, StatusFragment } from "./feature.ts";
import type { Jails } from "./jails.ts";
import type { LineMeter } from "./line-meter.ts";
import { OrderFlow } from "./order-flow.ts";
import { PacketFlow, type PacketParts, type PacketWiring } from "./packet-flow.ts";
import { Flow, NO_FIGURES, type Wiring } from "./pipeline.ts";

/** A running source, and the flow of its lines, packets or orders. */
export interface Watched {
  readonly source: Pick<Source, "name" | "kind" | "stats" | "position" | "trouble">;
  readonly flow: WatchedFlow;
  readonly options: SourceOptions;
}

/** What the status reports of a flow: the flow of lines has more than the others. */
export type WatchedFlow = Partial<Pick<Flow, "lag" | "blindness" | "figures">> & {
  readonly meter: Pick<LineMeter, "lines" | "linesPerSecond" | "bytesPerSecond" | "tick">;
};

/** What to look for in each source, by its name. */
export interface Wirings {
  readonly lines: ReadonlyMap<string, Wiring>;
  readonly packets: ReadonlyMap<string, PacketWiring>;
}

interface Running extends Watched {
  readonly rewire: (wirings: Wirings) => void;
  readonly abort: AbortController;
  readonly supervision: Supervision;
}

export type SourcesDeps = PacketParts & {
  readonly jails: Jails;
  readonly gate: OrderGate;
  readonly bans: Pick<BanFile, "commit">;
  readonly log: Log;
};

/** The sources of the configuration, each under supervision. A reload keeps unchanged ones running. */
export class Sources implements Feature {
  readonly name = "sources";
  readonly #deps: SourcesDeps;
  readonly #running = new Map<string, Running>();
  /** Sources that could not be opened. */
  readonly #failed = new Map<string, FailedSource>();
  #settings: Settings | null = null;
  /** Sources that the status names although they are not open yet. */
  #awaited: Config["sources"] = new Map();
  #isRetrying = false;
  /** A reload and the tries of sources that failed do not overlap. */
  readonly #serially = serially();
  /** Positions of sources that do not run: not yet, not for the moment, or not any more. */
  #reached: Record<string, SourcePosition> = {};

  constructor(deps: SourcesDeps) {
    this.#deps = deps;
  }

  get all(): readonly Watched[] {
    return [...this.#running.values()];
  }

  /** Read positions by source, also once all are closed. */
  positions(): Record<string, SourcePosition> {
    const running = this.all.flatMap(({ source }) => {
      const position = source.position();
      return position === null ? [] : [[source.name, position] as const];
    });
    return { ...this.#reached, ...Object.fromEntries(running) };
  }

  /** Sources that are started next go on at these positions. */
  resumeAt(positions: Readonly<Record<string, unknown>>): void {
    for (const [name, position] of Object.entries(positions))
      if (isPosition(position)) this.#reached[name] = position;
  }

  async prepare(first: Settings): Promise<void> {
    this.#awaited = first.config.sources;
    await this.noteNew(first);
  }

  /** Notes where files of new sources end now: what is written to them until they are opened is read. True when it noted one. */
  async noteNew({ config }: Settings): Promise<boolean> {
    let noted = false;
    for (const [name, options] of config.sources) {
      if (this.#running.has(name) || this.#reached[name] !== undefined) continue;
      const position = (await kindOf(options).presentEnd?.(options)) ?? null;
      if (position === null) continue;
      this.#reached[name] = position;
      noted = true;
    }
    return noted;
  }

  /** Stops sources that are gone or changed, starts new ones, and rewires the others. */
  follow(settings: Settings, move: Move): Promise<void> {
    return this.#serially(() => this.#follow(settings, move));
  }

  async #follow(settings: Settings, move: Move): Promise<void> {
    const { config } = settings;
    const before = this.#settings?.config.sources;
    this.#settings = settings;
    const wirings = await this.#wirings(settings);
    for (const name of this.#failed.keys()) if (!config.sources.has(name)) this.#failed.delete(name);
    // A source that this reload stops keeps its position until the next one: a rollback, or an operator, may want it back.
    for (const name of Object.keys(this.#reached)) if (!config.sources.has(name)) delete this.#reached[name];
    for (const [name, running] of this.#running) {
      const options = config.sources.get(name);
      if (options === undefined || !sameOptions(options, running.options)) await this.#stop(name);
    }
    for (const [name, options] of config.sources) {
      const running = this.#running.get(name);
      if (running !== undefined) running.rewire(wirings);
      else {
        const old = before?.get(name);
        const mayFail = move !== "reload" || (old !== undefined && sameOptions(options, old));
        await this.#openOrWait(name, options, { wirings, mayFail });
      }
    }
    this.#awaited = new Map();
  }

  tick(now: Instant): void {
    void this.#retry(now);
    for (const { flow, supervision } of this.#running.values()) {
      flow.meter.tick(now);
      supervision.tick(now);
    }
  }

  status(): StatusFragment {
    const { dropped, forgotten } = this.#deps.names;
    const failed = [...this.#failed].map(([name, { options, sentence }]) =>
      closedReply(name, options, sentence),
    );
    const awaited = [...this.#awaited]
      .filter(([name]) => !this.#running.has(name) && !this.#failed.has(name))
      .map(([name, options]) => closedReply(name, options, "not open yet"));
    return { sources: [...this.all.map(sourceReply), ...failed, ...awaited], names: { dropped, forgotten } };
  }

  *troubles(now: Instant): Generator<Trouble> {
    for (const [name, { sentence }] of this.#failed) yield { of: `source ${name}`, sentence };
    for (const { source, supervision } of this.#running.values()) {
      const of = `source ${source.name}`;
      const { failure } = supervision;
      const trouble = failure === null ? (source.trouble?.(now) ?? null) : null;
      if (failure !== null) yield { of, sentence: failure, isSaid: true };
      if (trouble !== null) yield { of, sentence: `Cannot read all of source ${source.name}: ${trouble}` };
    }
  }

  *warnings(now: Instant): Generator<string> {
    for (const { source, flow, options } of this.#running.values()) {
      const { lostFiles, state } = source.stats;
      const loss = lossOf(source.stats, kindOf(options).gives === "packets" ? "packet" : "line");
      const blind = flow.blindness?.warning(source.name, now) ?? null;
      if (blind !== null) yield blind;
      if (lostFiles > 0)
        yield `source ${source.name} lost unread lines of ${counted(lostFiles, "rotated file")}: ${state}`;
      if (loss !== null) yield `source ${source.name} has ${loss}`;
    }
    const { dropped } = this.#deps.names;
    if (dropped > 0) yield `${dropped} names were not looked up`;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.#stop(name)));
  }

  async #wirings({ config, filters }: Settings): Promise<Wirings> {
    const { all } = this.#deps.jails;
    return { lines: await buildWirings(config, all, filters), packets: buildPacketWirings(config, all) };
  }

  async #openOrWait(
    name: string,
    options: SourceConfig,
    { wirings, mayFail }: { readonly wirings: Wirings; readonly mayFail: boolean },
  ): Promise<void> {
    try {
      await this.#open(name, options, wirings);
      this.#failed.delete(name);
    } catch (error) {
      if (!mayFail) throw error;
      const { backOff = new BackOff(PAUSES) } = this.#failed.get(name) ?? {};
      this.#failed.set(name, {
        options,
        sentence: cannot(`read source ${name}`, error).message,
        backOff,
        next: null,
      });
    }
  }

  /** Tries the sources again that could not be opened, after pauses that grow. */
  async #retry(now: Instant): Promise<void> {
    if (this.#isRetrying || this.#failed.size === 0) return;
    this.#isRetrying = true;
    await this.#serially(() => this.#retryDue(now));
    this.#isRetrying = false;
  }

  async #retryDue(now: Instant): Promise<void> {
    for (const [name, failed] of this.#failed) {
      failed.next ??= now + failed.backOff.next();
      const settings = this.#settings;
      const options = settings?.config.sources.get(name);
      if (failed.next > now || settings === null || options === undefined) continue;
      await this.#openOrWait(name, options, { wirings: await this.#wirings(settings), mayFail: true });
    }
  }

  /** Starts a source that something reads. */
  async #open(name: string, options: SourceConfig, wirings: Wirings): Promise<void> {
    const kind = kindOf(options);
    if (options.orders !== undefined) return this.#obey(name, options, kind);
    if (kind.gives === "lines") {
      const wiring = wirings.lines.get(name);
      if (wiring === undefined) return;
      const flow = new Flow(wiring, this.#deps);
      const rewire = ({ lines }: Wirings): void => flow.rewire(lines.get(name) ?? wiring);
      const source = await kind.open(name, options, this.#reached[name] ?? null);
      this.#start(source, flow.sink, { flow, options, rewire });
    } else if (kind.gives === "packets") {
      const wiring = wirings.packets.get(name);
      if (wiring === undefined) return;
      const flow = new PacketFlow(wiring, this.#deps);
      const rewire = ({ packets }: Wirings): void => flow.rewire(packets.get(name) ?? wiring);
      this.#start(await kind.open(name, options), flow.sink, { flow, options, rewire });
    }
  }

  /** Orders from a bus, or lines that are orders. */
  async #obey(name: string, options: SourceConfig, kind: SourceKind): Promise<void> {
    const { gate, clock, bans } = this.#deps;
    const commit = (): void => void bans.commit();
    const flow = new OrderFlow(gate, options.orders?.origin ?? name, clock, commit);
    const rest = { flow, options, rewire: () => undefined };
    if (kind.gives === "orders") {
      const say = (sentence: string): void => this.#deps.log.info(sentence);
      this.#start(await kind.open(name, options, { readOrder, say }), flow.orders, rest);
    } else if (kind.gives === "lines") {
      const source = await kind.open(name, options, this.#reached[name] ?? null);
      this.#start(source, flow.lines, rest);
    }
  }

  #start<Batch>(
    source: SourceOf<Batch>,
    sink: (batch: Batch) => void,
    rest: Pick<Running, "flow" | "options" | "rewire">,
  ): void {
    rest.flow.meter.tick(this.#deps.clock.now());
    const abort = new AbortController();
    const supervision = supervise(source, sink, abort.signal, {
      log: (sentence) => this.#deps.log.warn(sentence),
    });
    this.#running.set(source.name, { source, ...rest, abort, supervision });
  }

  async #stop(name: string): Promise<void> {
    const running = this.#running.get(name);
    if (running === undefined) return;
    this.#running.delete(name);
    running.abort.abort();
    await running.supervision.done;
    const position = running.source.position();
    if (position !== null) this.#reached[name] = position;
  }
}

interface FailedSource {
  readonly options: SourceConfig;
  readonly sentence: string;
  readonly backOff: BackOff;
  /** When it is tried again; null until the next tick. */
  next: Instant | null;
}

const PAUSES: Pauses = { first: SECOND, longest: 30 * SECOND };

function isPosition(position: unknown): position is SourcePosition {
  return typeof position === "object" && position !== null;
}

function sameOptions(a: SourceOptions, b: SourceOptions): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** A source that is not open. */
function closedReply(name: string, { type }: SourceConfig, state: string): StatusReply["sources"][number] {
  const none = { lines: 0, bytesPerSecond: 0, linesPerSecond: 0, ...NO_FIGURES };
  return { name, kind: type, ...newSourceStats(), state, ...none };
}

function sourceReply({ source, flow }: Watched): StatusReply["sources"][number] {
  return {
    name: source.name,
    kind: source.kind,
    ...source.stats,
    lines: flow.meter.lines,
    bytesPerSecond: Math.round(flow.meter.bytesPerSecond),
    linesPerSecond: Math.round(flow.meter.linesPerSecond),
    ...(flow.figures?.() ?? NO_FIGURES),
  };
}

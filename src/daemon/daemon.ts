import type { JailChange } from "../api/fail2ban/host.ts";
import { FAIL2BAN_METRICS } from "../api/fail2ban/stats.ts";
import { eventStream } from "../api/event-stream.ts";
import type { Controller } from "../api/routes.ts";
import type { ControlStats } from "../api/server.ts";
import type {
  BanAnswer,
  ListedBan,
  BanRequest,
  Fail2banAnswer,
  Fail2banRequest,
  HeldAnswer,
  HeldReply,
  HeldRequest,
  NotifyAnswer,
  NotifyRequest,
  OrdersAnswer,
  ReloadAnswer,
  StatusReply,
  UnbanAnswer,
  UnbanRequest,
  WhyReply,
} from "../api/wire.ts";
import type { Config } from "../config/config.ts";
import type { Address } from "../core/address.ts";
import type { Ban } from "../core/ban.ts";
import { factOf } from "../core/errors.ts";
import { formatInstant, type Instant, SECOND } from "../core/time.ts";
import { counted } from "../core/wording.ts";
import type { LogLevel } from "../observe/log.ts";
import type { Standing } from "../enforce/reconcile.ts";
import { withStandings } from "./ban-standings.ts";
import { Fail2banCommands } from "./fail2ban-commands.ts";
import { changedConfig, type JailChanges, withChange } from "./jail-changes.ts";
import { compose, type ComposeDeps, type Composition } from "./compose.ts";
import type { CloseOptions, Feature, Settings } from "./feature.ts";
import { Features } from "./features.ts";
import { orderBan, type OrderContext, orderUnban, settleHeld, takeOrders } from "./orders.ts";
import type { ReadConfig } from "./read-apart.ts";
import { listedBans, heldListReply, heldReply } from "./replies.ts";
import { SingleReload } from "./single-reload.ts";
import { TroubleLog } from "./trouble-log.ts";
import { explainAddress } from "./why.ts";

export interface DaemonDeps extends Omit<ComposeDeps, "epoch"> {
  readonly controlStats: ControlStats;
  /** The level of the log, which a command and a reload change. */
  readonly logging: { level: LogLevel };
  /** Reads the configuration again. */
  readonly reread: () => Promise<ReadConfig>;
  /** Throws a StoplogError when this process does not hand over. */
  readonly handOver: () => void;
}

/**
 * The daemon without its process: the features of a configuration, the tick, and the answers on the control socket. Orders that arrive
 * during the start wait for its end: until then the gate knows neither origins nor addresses that must not be banned.
 */
export class Daemon implements Controller {
  readonly #deps: DaemonDeps;
  readonly #parts: Composition;
  readonly #features: Features;
  readonly #reload = new SingleReload();
  readonly #troubleLog: TroubleLog;
  readonly #since: Instant;
  /** Distinguishes this process from earlier ones. Not a secret, so node:crypto (2 MB) need not be loaded. */
  readonly #epoch: string;
  readonly #fail2ban: Fail2banCommands;
  /** With the changes by commands. */
  #settings: Settings;
  /** The configuration as it was read, and what commands have changed since. */
  #read: Config;
  #changes: JailChanges = new Map();
  #tick: NodeJS.Timeout | null = null;
  #started: Promise<void> | null = null;
  #isStarting = true;

  /** `more` are features after all others. */
  constructor(settings: Settings, deps: DaemonDeps, more: readonly Feature[] = []) {
    this.#settings = settings;
    this.#read = settings.config;
    this.#deps = deps;
    this.#since = deps.clock.now();
    this.#epoch = `${this.#since.toString(36)}-${Math.random().toString(36).slice(2)}`;
    const fail2banStats = FAIL2BAN_METRICS.zero();
    this.#parts = compose(
      settings.config,
      { ...deps, epoch: this.#epoch },
      {
        remote: this,
        fail2ban: { answer: (command) => this.#fail2ban.answer(command), stats: fail2banStats },
      },
    );
    this.#features = new Features([...this.#parts.features, ...more], this.#parts.warn);
    this.#fail2ban = new Fail2banCommands({
      parts: this.#parts,
      controller: this,
      stats: fail2banStats,
      logging: deps.logging,
      version: deps.version,
      config: () => this.#settings.config,
      changes: () => this.#changes,
      change: (jail, change) => this.#change(jail, change),
      now: () => this.#now(),
    });
    this.#troubleLog = new TroubleLog({
      warn: this.#parts.warn,
      info: (sentence) => deps.log.info(sentence),
    });
  }

  fail2ban(request: Fail2banRequest): Promise<Fail2banAnswer> {
    return this.#fail2ban.answerRequest(request);
  }

  /** What it follows now. */
  get settings(): Settings {
    return this.#settings;
  }

  /** Starts every feature, then the tick. Rejects with a StoplogError, and nothing runs then. */
  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  /** Waits for a reload that is under way: what it opens is closed too. */
  async stop({ flush }: Pick<CloseOptions, "flush">): Promise<void> {
    await this.#reload.end();
    if (this.#tick !== null) clearInterval(this.#tick);
    await this.#features.close({ flush, started: true });
  }

  bans(): Iterable<ListedBan> {
    const { book, targets } = this.#parts;
    return listedBans(book, (ban) => targets.standing(ban), this.#now());
  }

  events(lastId: string | null, signal: AbortSignal): AsyncIterable<string> {
    return eventStream({ book: this.#parts.book, epoch: this.#epoch }, lastId, signal);
  }

  async ban(request: BanRequest): Promise<BanAnswer> {
    await this.#started;
    const { book, targets } = this.#parts;
    const answer = orderBan(request, this.#orders(), this.#now());
    const unsaved = await this.#carriedOut();
    const enforced = withStandings(answer, { book, standing: (ban) => targets.standing(ban) }, this.#now());
    return withResults(enforced, unsaved);
  }

  async unban(request: UnbanRequest): Promise<UnbanAnswer> {
    const { offload } = this.#parts;
    await this.#started;
    await offload.collect();
    const answer = await orderUnban(request, this.#orders(), this.#now());
    const unsaved = await this.#carriedOut();
    await offload.collect();
    return withResults(answer, unsaved);
  }

  async orders(lines: Iterable<string>, origin: string): Promise<OrdersAnswer> {
    const { origins } = this.#parts;
    await this.#started;
    const to = { gate: origins.gate, named: this.#orders() };
    const answer = await takeOrders(lines, origin, to, this.#deps.clock);
    const unsaved = await this.#carriedOut();
    return unsaved === null ? answer : { ...answer, sentences: [...answer.sentences, unsaved] };
  }

  *held(origin: string | null): Generator<HeldReply> {
    const { origins, lists } = this.#parts;
    for (const held of origins.gate.held.list(origin ?? undefined)) yield heldReply(held);
    for (const { name, held } of lists.running?.status() ?? [])
      if (held !== null && (origin === null || origin === name)) yield heldListReply(name, held);
  }

  async settleHeld(request: HeldRequest): Promise<HeldAnswer> {
    const { origins, lists } = this.#parts;
    await this.#started;
    const answer = await settleHeld(request, origins.gate, lists.running, this.#deps.clock);
    await this.#carriedOut();
    return answer;
  }

  async notify({ name }: NotifyRequest): Promise<NotifyAnswer> {
    return { trouble: await this.#parts.notifiers.test(name) };
  }

  why(address: string): WhyReply | null {
    const { book, jails, lists, targets } = this.#parts;
    const standing = (ban: Ban): Standing => targets.standing(ban);
    const on = (one: Address): WhyReply["lists"] => lists.on(one);
    const parts = { book, jails: jails.all, evidence: jails.evidence, standing, lists: on };
    return explainAddress(address, parts, this.#now());
  }

  reload(): Promise<ReloadAnswer> {
    return this.#reload.run(async () => {
      // What a start has not read yet, such as positions, must not be dropped.
      await this.#started;
      return this.#follow();
    });
  }

  async handOver(): Promise<void> {
    await this.#started;
    this.#deps.handOver();
  }

  status(jail: string | null): StatusReply | null {
    const now = this.#now();
    const { config } = this.#settings;
    const { book } = this.#parts;
    const fragment = this.#features.status(now);
    const troubles = this.#features.troubles(now).map(({ sentence }) => sentence);
    const jails = (fragment.jails ?? []).filter(({ name }) => jail === null || name === jail);
    if (jail !== null && jails.length === 0) return null;
    // The features give the other keys; a test checks that none is missing.
    return {
      version: this.#deps.version,
      state: this.#isStarting ? "starting" : troubles.length === 0 ? "healthy" : "degraded",
      pid: process.pid,
      since: formatInstant(this.#since) ?? "",
      config: config.path,
      imported: config.imported ?? null,
      dryRun: this.#deps.dryRun,
      memoryBytes: process.memoryUsage.rss(),
      book: { bans: book.size, capacity: book.capacity, evicted: book.evicted, refused: book.refused },
      feed: { epoch: this.#epoch, last: book.feed.last },
      control: { ...this.#deps.controlStats },
      ...fragment,
      jails,
      troubles,
      warnings: [...troubles, ...config.notes, ...this.#features.warnings(now)],
    } as StatusReply;
  }

  /** Resolves when orders are in force and on disk: then they are acknowledged. With a sentence when they cannot be saved. */
  async #carriedOut(): Promise<string | null> {
    const { targets, bans } = this.#parts;
    const [unsaved] = await Promise.all([bans.commit(), targets.caughtUp()]);
    return unsaved;
  }

  async #start(): Promise<void> {
    await this.#features.start(this.#settings);
    await this.#parts.settled.taken(this.#settings.config);
    this.#isStarting = false;
    this.#sayTroubles();
    this.#tick = setInterval(() => {
      this.#features.tick(this.#now());
      this.#sayTroubles();
    }, SECOND);
  }

  async #follow(): Promise<ReloadAnswer> {
    const { log, reread } = this.#deps;
    const { config, errors, filters } = await reread();
    if (config === null) {
      for (const error of errors) log.error(error);
      return { reloaded: false, sentences: errors };
    }
    try {
      await this.#features.reload({ config, filters }, this.#settings);
    } catch (error) {
      const sentence = `Cannot take the new configuration: ${factOf(error)}; the old one stays`;
      log.error(sentence);
      return { reloaded: false, sentences: [sentence] };
    }
    const known = new Set(this.#settings.config.imported?.differences);
    const news = (config.imported?.differences ?? []).filter((sentence) => !known.has(sentence));
    this.#settings = { config, filters };
    this.#read = config;
    this.#changes = new Map();
    this.#deps.logging.level = config.log.level;
    await this.#parts.settled.taken(config);
    const sentence = `Reloaded: ${counted(config.sources.size, "source")}, ${counted(config.jails.length, "jail")}, ${counted(config.targets.length, "target")}`;
    for (const line of [sentence, ...news]) log.info(line);
    const settled = this.#parts.settled.takeNews();
    return { reloaded: true, sentences: [sentence, ...settled, ...config.notes, ...news] };
  }

  /** Changes a jail until the next reload. */
  #change(jail: string, change: JailChange): Promise<void> {
    return this.#reload.apart(async () => {
      await this.#started;
      const changes = withChange(this.#changes, this.#read, jail, change);
      const next = { ...this.#settings, config: changedConfig(this.#read, changes) };
      await this.#features.reload(next, this.#settings);
      this.#settings = next;
      this.#changes = changes;
      await this.#parts.settled.taken(next.config);
    });
  }

  #sayTroubles(): void {
    const now = this.#now();
    this.#troubleLog.follow(this.#features.troubles(now), now);
  }

  #orders(): OrderContext {
    const { book, jails, origins } = this.#parts;
    return {
      gate: origins.gate,
      book,
      jails: jails.all,
      targets: this.#settings.config.targets.map(({ name }) => name),
    };
  }

  #now(): Instant {
    return this.#deps.clock.now();
  }
}

/** Adds to what was done that a restart would undo it. */
function withResults<
  Answer extends { readonly results: readonly { readonly outcome: string; readonly detail: string }[] },
>(answer: Answer, unsaved: string | null): Answer {
  if (unsaved === null) return answer;
  const results = answer.results.map((result) =>
    result.outcome === "refused"
      ? result
      : { ...result, detail: `${result.detail}; not on disk: ${unsaved}` },
  );
  return { ...answer, results };
}

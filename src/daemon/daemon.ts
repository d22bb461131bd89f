import { eventStream } from "../api/event-stream.ts";
import type { Controller } from "../api/routes.ts";
import type { ControlStats } from "../api/server.ts";
import type {
  BanAnswer,
  BanReply,
  BanRequest,
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
import { Book } from "../book/book.ts";
import type { Config } from "../config/config.ts";
import type { Address } from "../core/address.ts";
import type { Clock } from "../core/clock.ts";
import { logRulesOf } from "../config/log-rules.ts";
import { factOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { PrefixSet } from "../core/prefix-map.ts";
import type { Prefix } from "../core/prefix.ts";
import { type Instant, MINUTE, SECOND } from "../core/time.ts";
import { InstalledRules } from "../enforce/log-rules/installed-rules.ts";
import { Evidence } from "../jail/evidence.ts";
import { OwnAddresses } from "../jail/ignore.ts";
import { Offences } from "../jail/offences.ts";
import { Trusted } from "../jail/trusted.ts";
import { BanLog } from "../observe/ban-log.ts";
import type { Log, LogStats } from "../observe/log.ts";
import type { CompiledFilter } from "../match/filter/filter.ts";
import { RateLimit } from "../observe/rate-limit.ts";
import { OrderGate } from "../orders/gate.ts";
import { readProgress } from "../store/progress.ts";
import { BanCap } from "./ban-cap.ts";
import { Enforcing } from "./enforcing.ts";
import { buildJails, buildPacketWirings, buildWirings } from "./jails.ts";
import type { Lists } from "./lists.ts";
import { NameLookup } from "./name-lookup.ts";
import { Notifying } from "./notifying.ts";
import { startOptimizing } from "./optimizing.ts";
import { HELD, OPERATOR, orderBan, orderUnban, type OrderContext, settleHeld, takeOrders } from "./orders.ts";
import { ownPrefixes } from "./own-addresses.ts";
import { openLists } from "./open-lists.ts";
import { Offloading } from "./offloading.ts";
import type { RunningJail } from "./pipeline.ts";
import { Publishing } from "./publishing.ts";
import type { ReadConfig } from "./read-apart.ts";
import { Reloading } from "./reloading.ts";
import { banReplies, heldListReply, heldReply } from "./replies.ts";
import { RemoteAccess } from "./remote-access.ts";
import { Reports } from "./reports.ts";
import { knowledgeOf, makeStateDirectory, restoreCounters, Saving } from "./saving.ts";
import { statusReply } from "./status.ts";
import { Sweeping } from "./sweeping.ts";
import { takeUpBans } from "./take-up.ts";
import { Watching } from "./watching.ts";
import { explainAddress } from "./why.ts";

export interface DaemonDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly logStats: LogStats;
  readonly controlStats: ControlStats;
  readonly version: string;
  readonly dryRun: boolean;
  /** Reads the configuration again. */
  readonly reread: () => Promise<ReadConfig>;
}

/** The whole daemon but its process: everything a configuration names, at work. */
export class Daemon implements Controller {
  readonly #deps: DaemonDeps;
  readonly #book: Book;
  readonly #evidence = new Evidence({ lines: LIMITS.evidenceLines.value, bans: LIMITS.evidenceBans.value });
  readonly #own = new OwnAddresses();
  readonly #trusted = new Trusted(LIMITS.trusted.value);
  readonly #around = {
    own: this.#own,
    trusted: this.#trusted,
    offences: new Offences(LIMITS.offenders.value),
  };
  readonly #names = new NameLookup();
  readonly #logRules = new InstalledRules();
  readonly #gate: OrderGate;
  readonly #remote: RemoteAccess;
  /** Tells this process from those before; no secret, so that node:crypto (2 MB) need not be loaded. */
  readonly #epoch: string;
  readonly #enforcing: Enforcing;
  readonly #watching: Watching;
  readonly #saving: Saving | null;
  readonly #banLog: BanLog;
  readonly #publishing: Publishing;
  readonly #notifying: Notifying;
  readonly #reports: Reports;
  readonly #warnings = new RateLimit(LIMITS.warnings.value, 10 * SECOND);
  readonly #since: Instant;
  #config: Config;
  #allowed = new PrefixSet();
  /** By `filterKey`. */
  #filters: ReadonlyMap<string, CompiledFilter>;
  #jails: readonly RunningJail[] = [];
  #lists: Lists | null = null;
  readonly #offloading: Offloading;
  readonly #cap = new BanCap(LIMITS.packetBans.value);
  readonly #sweeping = new Sweeping();
  #tick: NodeJS.Timeout | null = null;
  #nextOwn: Instant = 0;
  #lastTick: Instant;
  readonly #reloading = new Reloading();

  constructor(config: Config, filters: ReadonlyMap<string, CompiledFilter>, deps: DaemonDeps) {
    const { clock, log } = deps;
    this.#config = config;
    this.#filters = filters;
    this.#deps = deps;
    this.#since = clock.now();
    this.#epoch = `${this.#since.toString(36)}-${Math.random().toString(36).slice(2)}`;
    this.#lastTick = this.#since;
    this.#book = new Book({ capacity: config.limits.bans, changes: LIMITS.feedChanges.value });
    this.#gate = new OrderGate({
      book: this.#book,
      holds: (prefix) => {
        const reason = this.#holds(prefix);
        if (reason !== null) return HELD[reason];
        return this.#trusted.meets(prefix, clock.now()) ? "it is, or holds, somebody who is trusted" : null;
      },
      allow: (prefix, until) => this.#trusted.trust(prefix, until),
    });
    const warn = (sentence: string): void => this.#warn(sentence);
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());
    this.#enforcing = new Enforcing(this.#book, { now: () => clock.now(), sleep, warn }, deps.dryRun);
    const telling = {
      book: this.#book,
      now: () => clock.now(),
      warn,
      info: (sentence: string) => log.info(sentence),
    };
    const places = { enforcing: this.#enforcing, evidence: this.#evidence, own: this.#own };
    this.#offloading = new Offloading({ ...telling, ...places, dryRun: deps.dryRun });
    this.#watching = new Watching(
      { book: this.#book, evidence: this.#evidence, names: this.#names, clock, cap: this.#cap },
      this.#gate,
      log,
    );
    this.#saving =
      config.stateDirectory === null ? null : new Saving(config.stateDirectory, this.#book, warn);
    this.#remote = new RemoteAccess(this, clock, log);
    this.#banLog = new BanLog(this.#book, log);
    this.#notifying = new Notifying({ ...telling, epoch: this.#epoch, version: deps.version });
    this.#publishing = new Publishing({ book: this.#book, log, warn, clock });
    this.#reports = new Reports(log);
  }

  /** Takes up what the last run left, makes the kernel agree, and starts to watch. Rejects with a sentence. */
  async start(): Promise<void> {
    const { clock, log } = this.#deps;
    this.#refreshOwn(clock.now());
    const directory = this.#config.stateDirectory;
    if (directory !== null) await makeStateDirectory(directory);
    await this.#enforcing.open(this.#config.targets);
    await takeUpBans(directory, { book: this.#book, enforcing: this.#enforcing, log }, clock.now());
    await this.#enforcing.resync();
    await this.#saving?.open();
    this.#jails = buildJails(this.#config, [], this.#around);
    const progress = directory === null ? null : await readProgress(directory, startOptimizing);
    if (progress !== null) await restoreCounters(this.#jails, this.#around, progress);
    await this.#notifying.follow(this.#config);
    await this.#follow(progress?.positions ?? {});
    await this.#followLists();
    await this.#offloading.follow(this.#config, this.#jails);
    await this.#remote.follow(this.#config.api);
    // A long start is no step of the clock.
    this.#lastTick = clock.now();
    this.#tick = setInterval(() => this.#onTick(clock.now()), SECOND);
  }

  /** Stops in the order of the flow, so that nothing that was read is lost. */
  async stop(options: { readonly flush: boolean }): Promise<void> {
    await this.#reloading.end();
    // What a start that failed has not read must not be saved over.
    const started = this.#tick !== null;
    if (this.#tick !== null) clearInterval(this.#tick);
    await this.#remote.close();
    const positions = await this.#watching.stop();
    const told = this.#notifying.close();
    await this.#logRules.remove().catch((error: unknown) => this.#warn(factOf(error)));
    await this.#enforcing.settled();
    const now = this.#deps.clock.now();
    const progress = { at: now, positions, ...knowledgeOf(this.#jails, this.#around, now) };
    await this.#saving?.close(started ? progress : null);
    await this.#enforcing.close(options);
    await this.#lists?.close(options);
    await this.#offloading.close(options);
    await this.#publishing.close();
    await told;
    this.#banLog.close();
    this.#reports.close();
  }

  bans(): Iterable<BanReply> {
    return banReplies(this.#book, this.#deps.clock.now());
  }

  events(lastId: string | null, signal: AbortSignal): AsyncIterable<string> {
    return eventStream({ book: this.#book, epoch: this.#epoch }, lastId, signal);
  }

  async ban(request: BanRequest): Promise<BanAnswer> {
    const answer = orderBan(request, this.#orders(), this.#deps.clock.now());
    await this.#enforcing.settled();
    return answer;
  }

  async unban(request: UnbanRequest): Promise<UnbanAnswer> {
    await this.#offloading.takeUp();
    const answer = await orderUnban(request, this.#orders());
    await this.#enforcing.settled();
    await this.#offloading.takeUp();
    return answer;
  }

  async orders(lines: readonly string[], origin: string): Promise<OrdersAnswer> {
    const answer = await takeOrders(lines, origin, this.#gate, this.#deps.clock);
    await this.#enforcing.settled();
    return answer;
  }

  *held(origin: string | null): Generator<HeldReply> {
    for (const held of this.#gate.held.list(origin ?? undefined)) yield heldReply(held);
    for (const { name, held } of this.#lists?.status() ?? [])
      if (held !== null && (origin === null || origin === name)) yield heldListReply(name, held);
  }

  async settleHeld(request: HeldRequest): Promise<HeldAnswer> {
    const answer = await settleHeld(request, this.#gate, this.#lists, this.#deps.clock);
    await this.#enforcing.settled();
    return answer;
  }

  async notify({ name }: NotifyRequest): Promise<NotifyAnswer> {
    return { trouble: await this.#notifying.test(name) };
  }

  why(address: string): WhyReply | null {
    const lists = (one: Address): WhyReply["lists"] => this.#lists?.on(one) ?? [];
    const parts = { book: this.#book, jails: this.#jails, evidence: this.#evidence, lists };
    return explainAddress(address, parts, this.#deps.clock.now());
  }

  reload(): Promise<ReloadAnswer> {
    return this.#reloading.run(() => this.#reload());
  }

  status(jail: string | null): StatusReply | null {
    return statusReply(
      {
        ...this.#deps,
        since: this.#since,
        config: this.#config,
        book: this.#book,
        jails: this.#jails,
        enforcing: this.#enforcing,
        watching: this.#watching,
        saving: this.#saving,
        lists: this.#lists,
        offloading: this.#offloading,
        cap: this.#cap,
        publishing: this.#publishing,
        gate: this.#gate,
        remote: this.#remote.stats,
        epoch: this.#epoch,
        evidence: this.#evidence,
        names: this.#names,
        trusted: this.#trusted,
        reports: this.#reports,
        notifying: this.#notifying,
        warnings: this.#warnings,
      },
      jail,
      this.#deps.clock.now(),
    );
  }

  async #reload(): Promise<ReloadAnswer> {
    const { config, errors, filters } = await this.#deps.reread();
    if (config === null) {
      for (const error of errors) this.#deps.log.error(error);
      return { reloaded: false, sentences: errors };
    }
    const before = { config: this.#config, filters: this.#filters };
    try {
      await this.#enforcing.open(config.targets);
      this.#config = config;
      this.#filters = filters;
      this.#jails = buildJails(config, this.#jails, this.#around);
      await this.#follow(this.#watching.positions());
      await this.#enforcing.resync();
      await this.#followLists();
      await this.#offloading.follow(this.#config, this.#jails);
      await this.#notifying.follow(config);
      await this.#remote.follow(config.api);
    } catch (error) {
      await this.#restoreConfig(before.config, before.filters);
      const sentence = `Cannot take the new configuration: ${factOf(error)}; the old one stays`;
      this.#deps.log.error(sentence);
      return { reloaded: false, sentences: [sentence] };
    }
    const sentence = `Reloaded: ${config.sources.size} sources, ${config.jails.length} jails, ${config.targets.length} targets`;
    this.#deps.log.info(sentence);
    return { reloaded: true, sentences: [sentence, ...config.notes] };
  }

  async #restoreConfig(config: Config, filters: ReadonlyMap<string, CompiledFilter>): Promise<void> {
    this.#config = config;
    this.#filters = filters;
    await this.#enforcing.open(config.targets).catch((error: unknown) => this.#warn(factOf(error)));
    await this.#enforcing.resync();
    this.#jails = buildJails(config, this.#jails, this.#around);
    await this.#follow(this.#watching.positions());
    await this.#followLists().catch((error: unknown) => this.#warn(factOf(error)));
    await this.#offloading.follow(config, this.#jails).catch((error: unknown) => this.#warn(factOf(error)));
    await this.#notifying.follow(config).catch((error: unknown) => this.#warn(factOf(error)));
    await this.#remote.follow(config.api).catch((error: unknown) => this.#warn(factOf(error)));
  }

  async #followLists(): Promise<void> {
    const { log, version, dryRun } = this.#deps;
    const deps = { log, version, dryRun, warn: (sentence: string) => this.#warn(sentence) };
    this.#lists ??= await openLists(this.#config, this.#enforcing, deps);
    await this.#lists?.follow(this.#config);
  }

  /** What is asked for each order: made once for a configuration. */
  #setRules(config: Config): void {
    this.#cap.most = config.limits.packetBans;
    this.#allowed = new PrefixSet(config.ignoreip);
    this.#gate.configure(
      [...config.origins.filter(({ name }) => name !== OPERATOR.name), OPERATOR],
      config.targets.map(({ name }) => name),
    );
  }

  async #follow(positions: Readonly<Record<string, unknown>>): Promise<void> {
    this.#setRules(this.#config);
    await this.#publishing.follow(this.#config);
    await this.#watching.follow(
      this.#config,
      {
        lines: await buildWirings(this.#config, this.#jails, this.#filters),
        packets: buildPacketWirings(this.#config, this.#jails),
      },
      positions,
    );
    const rules = this.#deps.dryRun ? [] : logRulesOf(this.#config, { installed: true });
    await this.#logRules.replace(rules).catch((error: unknown) => this.#warn(factOf(error)));
  }

  /** Why nobody in a network may be banned, or null. */
  #holds(prefix: Prefix): "own address" | "allow-listed" | null {
    if (this.#config.ignoreSelf && this.#own.meets(prefix)) return "own address";
    return this.#allowed.meets(prefix) ? "allow-listed" : null;
  }

  #orders(): OrderContext {
    return {
      book: this.#book,
      jails: this.#jails,
      targets: this.#config.targets.map((target) => target.name),
      holds: (prefix) => this.#holds(prefix),
      revoke: (origin) => this.#gate.revoke(origin, this.#deps.clock.now()),
    };
  }

  /** The one tick for all deadlines. */
  #onTick(now: Instant): void {
    const late = now - this.#lastTick;
    this.#lastTick = now;
    if (Math.abs(late - SECOND) > CLOCK_STEP) this.#clockStepped(late - SECOND);
    this.#sweeping.start([
      (limit) => this.#book.expire(now, limit),
      ...this.#jails.flatMap(({ jail }) => [
        (limit: number) => jail.counting.sweep(now, limit),
        (limit: number) => jail.offences.sweep(now, limit),
      ]),
      (limit) => this.#trusted.sweep(now, limit),
    ]);
    this.#gate.sweep(now);
    for (const { flow } of this.#watching.all) flow.meter.tick(now);
    const targets = this.#deps.dryRun ? [] : this.#config.targets;
    this.#reports.tick(now, this.#jails, this.#watching.all, targets);
    this.#lists?.tick(now);
    this.#offloading.tick();
    if (now >= this.#nextOwn || now < this.#nextOwn - MINUTE) this.#refreshOwn(now);
    void this.#saving?.bans();
    this.#saving?.tick(
      now,
      () => ({
        at: now,
        positions: this.#watching.positions(),
        ...knowledgeOf(this.#jails, this.#around, now),
      }),
      () => performance.now(),
    );
    const held = this.#warnings.takeHeld();
    if (held > 0) this.#deps.log.warn(`And ${held} more warnings in the last moments`);
  }

  /** The kernel counts time-outs by a clock of its own: after a step the book's ends are written to it anew. */
  #clockStepped(by: number): void {
    this.#deps.log.warn(
      `The clock was set by ${Math.round(by / SECOND)} s or the machine slept: bans are written anew`,
    );
    void this.#enforcing.resync();
  }

  #refreshOwn(now: Instant): void {
    this.#nextOwn = now + MINUTE;
    this.#own.replace(ownPrefixes());
    this.#offloading.refreshOwn();
    void this.#repairLogRules();
  }

  /** Once a minute, since nobody tells when they are taken away. */
  async #repairLogRules(): Promise<void> {
    const stoodUp = await this.#logRules.repair().catch((error: unknown) => this.#warn(factOf(error)));
    if (stoodUp === true) this.#warn("The rules that log packets were gone and stand again");
  }

  #warn(sentence: string): void {
    if (this.#warnings.allow(this.#deps.clock.now())) this.#deps.log.warn(sentence);
  }
}

/** A tick that comes this much too early or late says that the clock was moved. */
const CLOCK_STEP = 5 * SECOND;

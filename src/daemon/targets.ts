import type { Trouble } from "../core/trouble.ts";
import type { Book } from "../book/book.ts";
import type { Ban } from "../core/ban.ts";
import { factOf } from "../core/errors.ts";
import { hostPrefix, type Prefix } from "../core/prefix.ts";
import type { Address } from "../core/address.ts";
import { LIMITS } from "../core/limits.ts";
import { Waiting } from "../enforce/connections/waiting.ts";
import { type Duration, HOUR, type Instant, SECOND } from "../core/time.ts";
import type { Config, TargetConfig } from "../config/config.ts";
import { usedTargets } from "../config/used-targets.ts";
import { counted, lowerFirst } from "../core/wording.ts";
import { ConnectionCutter } from "../enforce/connections/cutter.ts";
import type { Enforced, TargetSpec } from "../enforce/enforcer.ts";
import { kindNamed } from "../enforce/kinds.ts";
import { serially } from "../enforce/serially.ts";
import { Reconciler, type ReconcilerDeps, type Standing } from "../enforce/reconcile.ts";
import type { Log } from "../observe/log.ts";
import type { CloseOptions, Feature, Move, StatusFragment } from "./feature.ts";
import { areRivals, groupByKind } from "./group-by-kind.ts";
import type { LastTargets } from "./last-targets.ts";
import type { Refusals } from "./refusals.ts";
import { banFoundIn } from "./restore-bans.ts";
import type { SettledBans } from "./settled-bans.ts";
import { UnusedKinds } from "./unused-kinds.ts";
import { WaitingKinds } from "./waiting-kinds.ts";

export type TargetsDeps = ReconcilerDeps & {
  readonly book: Book;
  readonly log: Log;
  readonly dryRun: boolean;
  /** Moves bans of targets that are gone, before the book is written to the kernel. */
  readonly settled?: Pick<SettledBans, "move">;
  /** Null without a state directory, and in a dry run. */
  readonly last?: LastTargets | null;
};

/** What of a configuration the targets need. */
type Followed = Pick<Config, "targets"> & Partial<Pick<Config, "jails" | "origins" | "lists">>;

/**
 * The targets of the configuration: their enforcers, each kept in step with the book. A target that cannot be opened at the start is in trouble
 * and is tried again; the others enforce.
 */
export class Targets implements Feature {
  readonly name = "targets";
  readonly isEssential = true;
  readonly #deps: TargetsDeps;
  readonly #reconcilers = new Map<string, Reconciler>();
  readonly #waiting = new WaitingKinds();
  #isRetrying = false;
  /** A reload and the tries of kinds that wait do not overlap. */
  readonly #serially = serially();
  /** Whether the book may lack bans of an earlier run, which are then read from targets that open later. */
  #adopts = false;
  #cutter: ConnectionCutter | null = null;
  /** Targets with `reset_connections`. */
  #cutting: ReadonlySet<string> = new Set();
  /** Banned addresses with further lines, whose connections are cut at the next tick. */
  #seenBanned = new Waiting(LIMITS.cutPrefixes.value);
  /** The targets at which jails and others can ban; null for all. */
  #used: ReadonlySet<string> | null = null;
  readonly #unused: UnusedKinds;
  /** One at a time. */
  #opening: Promise<void> = Promise.resolve();
  #targets: readonly TargetConfig[] = [];
  /** What a start that began with the targets of the last run moves to. */
  #next: Followed | null = null;
  /** Kinds that close, with their bans, once the others hold all bans. */
  #leaving: readonly string[] = [];
  /** False until the first `resync`: the kernel keeps the bans of an earlier run until the book is restored. */
  #inStep = false;
  #lastTick: Instant | null = null;
  readonly #refused: Refusals;

  constructor(deps: TargetsDeps) {
    this.#deps = deps;
    const reconcilers = this.#reconcilers;
    this.#unused = new UnusedKinds(deps.book, async (kind, specs) => {
      const reconciler = await this.#start(kind, specs, () => true);
      reconcilers.set(kind, reconciler);
      await reconciler.resync();
    });
    this.#refused = {
      get size() {
        let size = 0;
        for (const { stats } of reconcilers.values()) size += stats.notEnforced;
        return size;
      },
      has: (prefix, target) => {
        for (const reconciler of reconcilers.values()) if (reconciler.hasRefused(prefix, target)) return true;
        return false;
      },
    };
  }

  get all(): readonly Reconciler[] {
    return [...this.#reconcilers.values()];
  }

  /** The targets that ban in the kernel: none in a dry run. */
  get enforced(): readonly TargetConfig[] {
    return this.#deps.dryRun ? [] : this.#targets;
  }

  async follow({ config }: { readonly config: Followed }, move: Move = "reload"): Promise<void> {
    if (move === "start" && (await this.#beginWithLast(config))) return;
    this.#used = usedTargets(config);
    await this.#serially(() => this.#open(config.targets, move));
    if (this.#inStep) await this.#settle();
  }

  /** Notes a failure from an address that is banned at these targets: it may have opened connections since. */
  readonly seenBanned = (address: Address, targets: readonly string[]): void => {
    if (this.#cutting.size > 0 && targets.some((target) => this.#cutting.has(target)))
      this.#seenBanned.add(hostPrefix(address));
  };

  /** Removes an address that logged in successfully from where other programs may have entered it. */
  readonly forgiven = (address: Address): void => {
    for (const { enforcer } of this.all) enforcer.forget?.(hostPrefix(address));
  };

  /** The kernel counts time-outs with a clock of its own: after a step of the wall clock, all bans are written again with their new time-outs. */
  tick(now: Instant): void {
    for (const reconciler of this.#reconcilers.values()) {
      void reconciler.retry(now);
      void reconciler.tick(now);
    }
    void this.#retry(now);
    if (this.#seenBanned.size > 0)
      for (const prefix of this.#seenBanned.take().prefixes()) this.#cutter?.cut(prefix);
    if (this.#inStep) void this.#openFirstUsed();
    const late = this.#lastTick === null ? 0 : now - this.#lastTick - SECOND;
    this.#lastTick = now;
    if (Math.abs(late) <= CLOCK_STEP) return;
    const seconds = Math.round(late / SECOND);
    this.#deps.log.warn(`The clock was set by ${seconds} s or the machine slept: writing all bans again`);
    void this.resync();
  }

  /** How a ban in the book is enforced, by all enforcers of its target together. */
  standing(ban: Pick<Ban, "prefix" | "target" | "since">): Standing {
    if (this.#deps.dryRun) return DRY_RUN;
    const closed = this.#closed().find(([name]) => name === ban.target);
    if (closed !== undefined) return { enforced: false, trouble: lowerFirst(factOf(closed[1])) };
    let worst: Standing | null = null;
    for (const reconciler of this.#reconcilers.values()) {
      const one = reconciler.standing(ban);
      if (one !== null && (worst === null || rank(one) < rank(worst))) worst = one;
    }
    return worst ?? { enforced: false, trouble: `there is no target ${ban.target}` };
  }

  /** Bans that some enforcer refused. */
  get refused(): Refusals {
    return this.#refused;
  }

  status(): StatusFragment {
    return {
      enforcers: this.all.map(({ enforcer, stats }) => ({ kind: enforcer.kind, ...stats })),
      connections: this.#cutter?.stats ?? null,
    };
  }

  troubles(): readonly Trouble[] {
    const failing = this.all
      .filter(({ stats }) => stats.state !== "ready" || stats.trouble !== null)
      .map(({ enforcer: { kind }, stats }) => ({
        of: `enforcer ${kind}`,
        sentence: `Cannot enforce all bans with ${kind}: ${stats.trouble ?? stats.state}`,
      }));
    const passed = this.all.flatMap(({ enforcer: { kind }, obstacles: [first, ...more] }) => {
      if (first === undefined) return [];
      const sentence = more.length === 0 ? first : `${first} (and ${more.length} more such rules)`;
      return { of: `the firewall around ${kind}`, sentence };
    });
    const closed = this.#closed().map(([name, thrown]) => closedTarget(name, thrown));
    return [
      ...failing,
      ...closed,
      ...passed,
      ...(this.#unused.trouble === null ? [] : [this.#unused.trouble]),
    ];
  }

  warnings(): readonly string[] {
    const cutting = this.#cutter?.stats.lastTrouble ?? null;
    return cutting === null ? [] : [cutting];
  }

  /** Makes the kernel hold exactly the bans in the book. */
  async resync(): Promise<void> {
    const next = this.#next;
    if (next === null) return this.#settle();
    await this.#write();
    this.#next = null;
    this.#used = usedTargets(next);
    await this.#serially(() => this.#open(next.targets, "start"));
    await this.#settle();
  }

  /** Writes the book to the kernel, and remembers the targets if no others hold bans. */
  async #settle(): Promise<void> {
    await this.#write();
    await this.#closeLeaving();
    if (this.#leaving.length === 0) await this.#deps.last?.remember(this.#targets);
  }

  /** True when the targets of the last run are open, and others are to follow. */
  async #beginWithLast(config: Followed): Promise<boolean> {
    const last = this.#inStep ? [] : (this.#deps.last?.changed(config.targets) ?? []);
    if (last.length === 0) return false;
    // What cannot be used together is refused at once.
    groupByKind(
      config.targets.flatMap(({ enforcers }) => enforcers),
      this.#deps.dryRun,
    );
    try {
      await this.#serially(() => this.#open(last, "start"));
      this.#next = config;
      return true;
    } catch (error) {
      this.#deps.log.warn(`Cannot remove bans of the last run's targets: ${lowerFirst(factOf(error))}`);
      return false;
    }
  }

  async #write(): Promise<void> {
    this.#inStep = true;
    // In the same row as the opening of targets: who calls `caughtUp` now waits for these writes.
    const begun = this.#opening.then(async () => {
      // The new targets must be open before bans move to them.
      if (this.#next === null) await this.#deps.settled?.move();
      await this.#unused.openUsed();
      return { written: Promise.all(this.all.map((reconciler) => reconciler.resync())) };
    });
    this.#opening = begun.then(noWait, noWait);
    await (
      await begun
    ).written;
  }

  /** Whether an enforcer keeps bans until the daemon unbans them. Bans that expired while the daemon was down must then be unbanned too. */
  get needsUnban(): boolean {
    return this.all.some(({ enforcer }) => enforcer.expires === "book");
  }

  /**
   * The bans that the kernel still has from an earlier run. A ban without an end in the kernel gets its target's bantime from now. An enforcer
   * that cannot be read back keeps none of them, and the log says so. `most` as in `Enforcer.list`.
   */
  async leftOver(now: Instant, most?: number): Promise<readonly Ban[]> {
    this.#adopts = true;
    const lists = await Promise.all(this.all.map((reconciler) => this.#listOf(reconciler, most)));
    return lists.flat().map((found) => banFoundIn(found, now, this.#bantimeAt(found.target)));
  }

  /** Resolves when every ban that is in the book now has reached the kernel, or when an enforcer is in lasting trouble. */
  async caughtUp(): Promise<void> {
    await this.#openFirstUsed();
    await Promise.all(this.all.map((reconciler) => reconciler.caughtUp()));
  }

  /** Whether the bans that are in the book now have reached every enforcer. */
  async holds(): Promise<boolean> {
    await this.caughtUp();
    return (
      this.#unused.trouble === null &&
      this.#waiting.size === 0 &&
      this.all.every(({ stats, faults }) => stats.state === "ready" && faults.size === 0)
    );
  }

  async close(options: Pick<CloseOptions, "flush">): Promise<void> {
    // Before the book is restored, writing it would remove the bans of the earlier run.
    if (this.#inStep) await this.caughtUp();
    this.#cutter?.close();
    await Promise.all(this.all.map((reconciler) => reconciler.close(options)));
  }

  /** Targets that are not open, and what their enforcers threw. */
  #closed(): readonly (readonly [name: string, thrown: unknown])[] {
    return [...this.all.flatMap(({ faults }) => [...faults]), ...this.#waiting.targets()];
  }

  /**
   * Opens the enforcers of these targets; bans of an earlier run stay in the kernel. Rejects with a StoplogError when a new or changed target of a
   * reload cannot be opened, or none at the start.
   */
  async #open(targets: readonly TargetConfig[], move: Move): Promise<void> {
    const specs = targets.flatMap(({ enforcers }) => enforcers);
    const desired = new Map(groupByKind(specs, this.#deps.dryRun));
    if (!this.#deps.dryRun) this.#unused.takeFrom(desired, this.#used, (kind) => this.#reconcilers.has(kind));
    const before = new Map(this.#targets.map((target) => [target.name, JSON.stringify(target)]));
    const written = new Map(targets.map((target) => [target.name, JSON.stringify(target)]));
    const mayFail = (name: string): boolean => move !== "reload" || before.get(name) === written.get(name);
    this.#targets = targets;
    this.#openCutter(targets);
    this.#waiting.keep((kind) => desired.has(kind));
    // An enforcer that owns the same table as a new one closes first; the new one adopts its bans.
    for (const kind of this.#reconcilers.keys())
      if (!desired.has(kind) && [...desired.keys()].some((other) => areRivals(kind, other)))
        await this.#close(kind, { flush: false });
    for (const [kind, group] of desired) {
      const open = this.#reconcilers.get(kind);
      if (open !== undefined) await open.open(group, mayFail);
      else await this.#startOrWait(kind, group, mayFail);
    }
    const { first } = this.#waiting;
    if (first !== null && this.#reconcilers.size === 0) throw first.thrown;
    this.#leaving = [...this.#reconcilers.keys()].filter((kind) => !desired.has(kind));
    if (this.#leaving.length === 0) return;
    // Ban at the new target before removing the ban at the old one. If the new target cannot be opened, the old ban stays.
    await this.#write();
    await this.#closeLeaving();
  }

  /** Closes the kinds that no target has any longer, unless a new one cannot be opened yet: then bans hold at the old one only. */
  async #closeLeaving(): Promise<void> {
    if (this.#waiting.size > 0) return;
    const leaving = this.#leaving;
    this.#leaving = [];
    for (const kind of leaving) await this.#close(kind, { flush: true });
  }

  /** Opens the kinds that have their first ban. Never rejects. */
  #openFirstUsed(): Promise<void> {
    this.#opening = this.#opening.then(() => this.#unused.openUsed());
    return this.#opening;
  }

  async #listOf(reconciler: Reconciler, most?: number): Promise<readonly Enforced[]> {
    try {
      return await reconciler.list(most);
    } catch (error) {
      this.#deps.log.warn(`${factOf(error)}: bans that only the firewall holds will be removed`);
      return [];
    }
  }

  #bantimeAt(target: string): Duration {
    return this.#targets.find(({ name }) => name === target)?.bantime ?? HOUR;
  }

  async #startOrWait(
    kind: string,
    specs: readonly TargetSpec[],
    mayFail: (name: string) => boolean,
  ): Promise<void> {
    try {
      this.#reconcilers.set(kind, await this.#start(kind, specs, mayFail));
      this.#waiting.delete(kind);
    } catch (thrown) {
      if (!specs.every(({ name }) => mayFail(name))) throw thrown;
      this.#waiting.add(kind, specs, thrown);
    }
  }

  /** Tries the kinds again that could not be opened; their bans are read and written then. */
  async #retry(now: Instant): Promise<void> {
    if (this.#isRetrying || !this.#inStep) return;
    this.#isRetrying = true;
    await this.#serially(() => this.#retryDue(now));
    this.#isRetrying = false;
  }

  async #retryDue(now: Instant): Promise<void> {
    for (const [kind, specs] of this.#waiting.due(now)) {
      await this.#startOrWait(kind, specs, () => true);
      await this.#reconcilers.get(kind)?.resync();
    }
    if (this.#leaving.length > 0) await this.#settle();
  }

  #adopt(found: readonly Enforced[]): void {
    const now = this.#deps.now();
    const { book, log } = this.#deps;
    const fresh = found.filter(({ prefix, target }) => book.at(prefix, target, now) === null);
    for (const one of fresh) book.ban(banFoundIn(one, now, this.#bantimeAt(one.target)));
    if (fresh.length > 0) log.warn(`Adopted ${counted(fresh.length, "ban")} that the firewall holds`);
  }

  async #close(kind: string, options: { readonly flush: boolean }): Promise<void> {
    const reconciler = this.#reconcilers.get(kind);
    this.#reconcilers.delete(kind);
    await reconciler?.close(options);
  }

  #openCutter(targets: readonly TargetConfig[]): void {
    const cutting = this.#deps.dryRun ? [] : targets.filter(({ resetConnections }) => resetConnections);
    this.#cutting = new Set(cutting.map(({ name }) => name));
    if (cutting.length > 0) {
      this.#cutter ??= new ConnectionCutter(this.#deps);
      return;
    }
    this.#cutter?.close();
    this.#cutter = null;
  }

  async #start(
    kind: string,
    targets: readonly TargetSpec[],
    mayFail: (name: string) => boolean,
  ): Promise<Reconciler> {
    const enforcer = await kindNamed(kind).open((sentence) => this.#deps.warn(sentence));
    const onBanned = (prefix: Prefix, target: string): void => {
      if (this.#cutting.has(target)) this.#cutter?.cut(prefix);
    };
    const adopt = (): ((found: readonly Enforced[]) => void) | null =>
      this.#adopts ? (found) => this.#adopt(found) : null;
    const reconciler = new Reconciler(enforcer, this.#deps.book, { ...this.#deps, onBanned, adopt });
    try {
      await reconciler.open(targets, mayFail);
    } catch (error) {
      await reconciler.close({ flush: false });
      throw error;
    }
    return reconciler;
  }
}

/** What a dry run does not enforce is not a trouble: the operator wants it so. */
const DRY_RUN: Standing = { enforced: false, trouble: null };

/** The less is known to be enforced, the lower. */
function rank({ enforced }: Standing): number {
  return enforced === null ? 1 : enforced ? 2 : 0;
}

function noWait(): void {}

function closedTarget(name: string, thrown: unknown): Trouble {
  const fact = lowerFirst(factOf(thrown));
  return { of: `target ${name}`, sentence: `Cannot enforce bans at target ${name}: ${fact}` };
}

/** A tick that is this much too early or too late means that the clock was moved. */
const CLOCK_STEP = 5 * SECOND;

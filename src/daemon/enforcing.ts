import type { Book } from "../book/book.ts";
import type { Ban } from "../core/ban.ts";
import { StoplogError } from "../core/errors.ts";
import type { Prefix } from "../core/prefix.ts";
import { HOUR, type Instant } from "../core/time.ts";
import type { TargetConfig } from "../config/config.ts";
import { ConnectionCutter, type CutterStats } from "../enforce/connections/cutter.ts";
import type { TargetSpec } from "../enforce/enforcer.ts";
import { dryRun } from "../enforce/dry-run/kind.ts";
import { kindNamed } from "../enforce/kinds.ts";
import { Reconciler, type ReconcilerDeps } from "../enforce/reconcile.ts";

/** The enforcers that the targets of a configuration need, each kept in step with the book. */
export class Enforcing {
  readonly #book: Book;
  readonly #deps: ReconcilerDeps;
  readonly #dryRun: boolean;
  readonly #reconcilers = new Map<string, Reconciler>();
  #cutter: ConnectionCutter | null = null;
  /** Targets whose banned have their connections cut. */
  #cutting: ReadonlySet<string> = new Set();
  #targets: readonly TargetConfig[] = [];

  constructor(book: Book, deps: ReconcilerDeps, dryRun: boolean) {
    this.#book = book;
    this.#deps = deps;
    this.#dryRun = dryRun;
  }

  /** What was cut; null when nothing is to be. */
  get connections(): CutterStats | null {
    return this.#cutter?.stats ?? null;
  }

  get all(): readonly Reconciler[] {
    return [...this.#reconcilers.values()];
  }

  /** Opens what these targets need; what an earlier run left in the kernel stays. Rejects with a sentence. */
  async open(targets: readonly TargetConfig[]): Promise<void> {
    this.#targets = targets;
    this.#openCutter(targets);
    const specs = targets.flatMap(({ enforcers }) => enforcers);
    const wanted = groupByKind(specs, this.#dryRun);
    // What owns the same table as a newcomer lets go of it first; the newcomer takes over its bans.
    for (const kind of this.#reconcilers.keys())
      if (!wanted.has(kind) && [...wanted.keys()].some((other) => areRivals(kind, other)))
        await this.#close(kind, { flush: false });
    for (const [kind, group] of wanted) {
      const there = this.#reconcilers.get(kind);
      if (there !== undefined) await there.open(group);
      else this.#reconcilers.set(kind, await this.#start(kind, group));
    }
    const left = [...this.#reconcilers.keys()].filter((kind) => !wanted.has(kind));
    if (left.length === 0) return;
    // Who is banned elsewhere from now on is so before he is free here; and what cannot be opened has taken nothing away.
    await this.resync();
    for (const kind of left) await this.#close(kind, { flush: true });
  }

  /** Makes the kernel hold exactly what the book holds. */
  async resync(): Promise<void> {
    await Promise.all(this.all.map((reconciler) => reconciler.resync()));
  }

  /** Whether some bans stay until they are lifted: then those that ended while nobody was there must be lifted as well. */
  get needsLifting(): boolean {
    return this.all.some(({ enforcer }) => enforcer.expires === "book");
  }

  /** What the kernel still held of a run whose own notes are lost. Where it knows no end, a ban lasts as its target says, from now. */
  async leftOver(now: Instant): Promise<readonly Ban[]> {
    const lists = await Promise.all(this.all.map((reconciler) => reconciler.enforcer.list()));
    return lists.flat().map(({ prefix, target, until }) => ({
      prefix,
      target,
      jail: "",
      reason: "found in the firewall",
      since: now,
      until: until ?? now + (this.#targets.find(({ name }) => name === target)?.bantime ?? HOUR),
      origin: "restored",
    }));
  }

  async settled(): Promise<void> {
    await Promise.all(this.all.map((reconciler) => reconciler.settled()));
  }

  /** Whether all enforcers hold what the book held when they were asked. */
  async holds(): Promise<boolean> {
    await this.settled();
    return this.all.every(({ stats }) => stats.state === "ready");
  }

  async close(options: { readonly flush: boolean }): Promise<void> {
    this.#cutter?.close();
    await Promise.all(this.all.map((reconciler) => reconciler.close(options)));
  }

  async #close(kind: string, options: { readonly flush: boolean }): Promise<void> {
    const reconciler = this.#reconcilers.get(kind);
    this.#reconcilers.delete(kind);
    await reconciler?.close(options);
  }

  #openCutter(targets: readonly TargetConfig[]): void {
    const cutting = this.#dryRun ? [] : targets.filter(({ resetConnections }) => resetConnections);
    this.#cutting = new Set(cutting.map(({ name }) => name));
    if (cutting.length > 0) {
      this.#cutter ??= new ConnectionCutter(this.#deps);
      return;
    }
    this.#cutter?.close();
    this.#cutter = null;
  }

  async #start(kind: string, targets: readonly TargetSpec[]): Promise<Reconciler> {
    const enforcer = await kindNamed(kind).open((sentence) => this.#deps.warn(sentence));
    const held = (prefix: Prefix, target: string): void => {
      if (this.#cutting.has(target)) this.#cutter?.cut(prefix);
    };
    const reconciler = new Reconciler(enforcer, this.#book, { ...this.#deps, held });
    try {
      await reconciler.open(targets);
    } catch (error) {
      await reconciler.close({ flush: false });
      throw error;
    }
    return reconciler;
  }
}

function areRivals(one: string, other: string): boolean {
  const { owns } = kindNamed(one);
  return one !== other && owns !== undefined && owns === kindNamed(other).owns;
}

function groupByKind(
  targets: readonly TargetSpec[],
  isDryRun: boolean,
): ReadonlyMap<string, readonly TargetSpec[]> {
  const groups = new Map<string, TargetSpec[]>();
  for (const target of targets) {
    const kind = isDryRun ? dryRun.name : target.enforcer;
    const group = groups.get(kind) ?? [];
    // A dry run needs each name once, however many ways there are.
    if (isDryRun && group.some(({ name }) => name === target.name)) continue;
    groups.set(kind, [...group, target]);
  }
  const kinds = [...groups.keys()];
  for (const [i, kind] of kinds.entries()) {
    const rival = kinds.slice(0, i).find((other) => areRivals(kind, other));
    if (rival !== undefined)
      throw new StoplogError(
        `Cannot enforce by ${rival} and by ${kind} at once: both write ${kindNamed(kind).owns}, so one of them must serve all targets`,
      );
  }
  if (groups.size === 0) throw new StoplogError("Cannot enforce anything: the configuration names no target");
  return groups;
}

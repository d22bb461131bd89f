import { setImmediate as nextTurn } from "node:timers/promises";
import { cannot, StoplogError } from "../../core/errors.ts";
import { fnv1a } from "../../core/fnv1a.ts";
import type { Instant } from "../../core/time.ts";
import { factOfAnswer } from "../../kernel/netlink/errors.ts";
import { nativeFault } from "../../kernel/native/libc.ts";
import type { Enforced, Enforcement, Enforcer, Refusal } from "../enforcer.ts";
import type { RouteTarget } from "./kind.ts";
import { changeKey, lastChanges, refused } from "../last-changes.ts";
import type { Hole } from "./messages.ts";
import { RouteSession } from "./session.ts";
import { type RouteWatch, watchRoutes } from "./watch-routes.ts";

/**
 * Adds a route to nowhere for each ban to the main table. Its protocol is our number, by which it is found after a restart; its metric is
 * the target's. An operator's own route to the same network has a better metric and wins.
 */
export class RouteEnforcer implements Enforcer {
  readonly kind = "route";
  readonly expires = "book";
  #session: RouteSession | null = null;
  #watch: RouteWatch | null = null;
  #lost = false;
  #targets: ReadonlyMap<string, RouteTarget> = new Map();
  #byPriority: ReadonlyMap<number, RouteTarget> = new Map();

  async open(targets: readonly RouteTarget[], onLost: (fact: string) => void): Promise<void> {
    const fault = nativeFault();
    if (fault !== null) throw cannot("use route", fault);
    const before = this.#targets;
    this.#targets = new Map(targets.map((target) => [target.name, target]));
    this.#byPriority = new Map(targets.map((target) => [priorityOf(target.name), target]));
    this.#session ??= new RouteSession();
    this.#watch?.close();
    this.#lost = false;
    this.#watch = watchRoutes(
      this.#session.port,
      (hole) => this.#targetOf(hole) !== null,
      // Reported once, until `open`.
      (fact) => {
        if (this.#lost) return;
        this.#lost = true;
        onLost(fact);
      },
    );
    // Removes routes of targets that are gone or have another type now.
    const gone = [...before.values()].filter(({ name, type }) => this.#targets.get(name)?.type !== type);
    if (gone.length === 0) return;
    const ours = new Set(gone.map(({ name }) => priorityOf(name)));
    await this.#unban((await this.#session.list()).filter(({ priority }) => ours.has(priority)));
  }

  async apply(changes: readonly Enforcement[], now: Instant): Promise<readonly Refusal[]> {
    this.#opened();
    const last = await lastChanges(changes, this.#targets, now);
    return [...last.refusals, ...(await this.#carryOut([...last.changes.values()]))];
  }

  async replace(bans: Iterable<Enforcement>, now: Instant): Promise<readonly Refusal[]> {
    const session = this.#opened();
    const last = await lastChanges(bans, this.#targets, now);
    const desired = new Map([...last.changes].filter(([, { kind }]) => kind === "ban"));
    const gone: Hole[] = [];
    let seen = 0;
    for (const hole of await session.list()) {
      if (++seen % AT_ONCE === 0) await nextTurn();
      const target = this.#targetOf(hole);
      const key = target === null ? null : changeKey({ prefix: hole.prefix, target: target.name });
      if (key === null || target?.type !== hole.type || !desired.has(key)) gone.push(hole);
      else desired.delete(key);
    }
    const refusals = await this.#carryOut([...desired.values()]);
    await this.#unban(gone);
    return [...last.refusals, ...refusals];
  }

  /** The kernel does not know when bans end. */
  async list(): Promise<readonly Enforced[]> {
    return (await this.#opened().list()).flatMap((hole) => {
      const target = this.#targetOf(hole);
      return target === null ? [] : { prefix: hole.prefix, target: target.name, until: null };
    });
  }

  async close({ flush }: { readonly flush: boolean }): Promise<void> {
    if (this.#session !== null && flush) await this.#unban(await this.#session.list());
    this.#watch?.close();
    this.#watch = null;
    this.#session?.close();
    this.#session = null;
    this.#targets = new Map();
  }

  #opened(): RouteSession {
    if (this.#session === null) throw new StoplogError("Cannot change bans: route is not open");
    return this.#session;
  }

  #targetOf({ priority }: Hole): RouteTarget | null {
    return this.#byPriority.get(priority) ?? null;
  }

  async #carryOut(changes: readonly Enforcement[]): Promise<readonly Refusal[]> {
    const session = this.#opened();
    const refusals: Refusal[] = [];
    for (const kind of ["unban", "ban"] as const) {
      const ours = changes.filter((change) => change.kind === kind);
      const priorities = new Map([...this.#targets.keys()].map((name) => [name, priorityOf(name)]));
      const holes = ours.map(({ prefix, target }): Hole => {
        const type = this.#targets.get(target)?.type ?? "blackhole";
        return { prefix, type, priority: priorities.get(target) ?? 0 };
      });
      for (const failure of await session.change(kind, holes)) {
        if (DONE_ALREADY[kind].includes(failure.errno)) continue;
        refusals.push(refused(ours[failure.place] as Enforcement, factOfAnswer(failure)));
      }
    }
    return refusals;
  }

  async #unban(holes: readonly Hole[]): Promise<void> {
    const failed = (await this.#opened().change("unban", holes)).find(
      ({ errno }) => !DONE_ALREADY.unban.includes(errno),
    );
    if (failed !== undefined) throw cannot("remove routes", factOfAnswer(failed));
  }
}

/** Routes compared in one turn of the event loop. */
const AT_ONCE = 1000;

/** Errors of changes that are already made: EEXIST; ENOENT (IPv6) and ESRCH. */
const DONE_ALREADY: Readonly<Record<Enforcement["kind"], readonly number[]>> = { ban: [17], unban: [2, 3] };

/**
 * The metric of a target's routes: worse than any usual one, and the same after each restart (FNV-1a, 20 bits: the odds that two of a
 * handful of targets collide are one in a hundred thousand).
 */
function priorityOf(target: string): number {
  return 0x5300_0000 | (fnv1a(Buffer.from(target)) & 0xf_ffff);
}

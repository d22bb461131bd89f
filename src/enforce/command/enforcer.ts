import { StoplogError } from "../../core/errors.ts";
import { runProgram } from "../../core/run-program.ts";
import type { Instant } from "../../core/time.ts";
import type { Enforced, Enforcement, Enforcer, Refusal } from "../enforcer.ts";
import type { CommandTarget } from "./kind.ts";
import { changeKey, lastChanges, refused } from "../last-changes.ts";
import { fillIn, inputLine } from "./arguments.ts";

/**
 * Runs the operator's programs. Their effect cannot be read back, so this class remembers the bans, as many as the book holds. A failed
 * run is a refusal; the ban is tried again with the next `replace`.
 */
export class CommandEnforcer implements Enforcer {
  readonly kind = "command";
  readonly expires = "book";
  readonly #standing = new Map<string, Extract<Enforcement, { kind: "ban" }>>();
  /** Targets whose `start` succeeded; null when not open. */
  #targets: Map<string, CommandTarget> | null = null;

  async open(targets: readonly CommandTarget[]): Promise<void> {
    const there = (this.#targets ??= new Map());
    for (const target of targets) {
      const before = there.get(target.name);
      if (before !== undefined && isSame(before, target)) there.set(target.name, target);
      else await this.#begin(target, before);
    }
    for (const target of there.values())
      if (!targets.some(({ name }) => name === target.name)) await this.#end(target);
  }

  async apply(changes: readonly Enforcement[], now: Instant): Promise<readonly Refusal[]> {
    const last = await lastChanges(changes, this.#opened(), now);
    return [...last.refusals, ...(await this.#carryOut([...last.changes.values()], now))];
  }

  async replace(bans: Iterable<Enforcement>, now: Instant): Promise<readonly Refusal[]> {
    const last = await lastChanges(bans, this.#opened(), now);
    const gone = [...this.#standing].flatMap(([key, { prefix, target }]): Enforcement[] =>
      last.changes.has(key) ? [] : [{ kind: "unban", prefix, target }],
    );
    // A ban that holds as it should causes no run. An unban always does: the ban may be an earlier run's.
    const changed = [...last.changes].flatMap(([key, change]) => {
      const standing = this.#standing.get(key);
      return change.kind === "ban" && standing?.until === change.until ? [] : change;
    });
    return [...last.refusals, ...(await this.#carryOut([...changed, ...gone], now))];
  }

  async list(): Promise<readonly Enforced[]> {
    this.#opened();
    return [...this.#standing.values()].map(({ prefix, target, until }) => ({ prefix, target, until }));
  }

  /** Without `flush` bans outlive the daemon, and `stop` does not run. */
  async close({ flush }: { readonly flush: boolean }): Promise<void> {
    if (flush) for (const target of this.#targets?.values() ?? []) await this.#end(target);
    this.#targets = null;
  }

  #opened(): ReadonlyMap<string, CommandTarget> {
    if (this.#targets === null) throw new StoplogError("Cannot change bans: command is not open");
    return this.#targets;
  }

  /** When a target's programs change, the old ones undo their bans first: the new ones do not know of them. */
  async #begin(target: CommandTarget, before: CommandTarget | undefined): Promise<void> {
    if (before !== undefined) await this.#end(before);
    const { timeout } = target;
    const fact = target.start === null ? null : (await runProgram(target.start, { timeout })).fact;
    if (fact !== null) throw new StoplogError(`Cannot start target ${target.name}: ${fact}`);
    this.#targets?.set(target.name, target);
  }

  async #end(target: CommandTarget): Promise<void> {
    const unbans = [...this.#standing.values()]
      .filter((ban) => ban.target === target.name)
      .map(({ prefix }): Enforcement => ({ kind: "unban", prefix, target: target.name }));
    await this.#carryOut(unbans, 0);
    for (const unban of unbans) this.#standing.delete(changeKey(unban));
    if (target.stop !== null) await runProgram(target.stop, { timeout: target.timeout });
    this.#targets?.delete(target.name);
  }

  async #carryOut(changes: readonly Enforcement[], now: Instant): Promise<readonly Refusal[]> {
    const done = [...this.#opened().values()].map((target) => {
      const ours = changes.filter((change) => change.target === target.name);
      return target.batch ? this.#inBatches(target, ours, now) : this.#oneByOne(target, ours, now);
    });
    return (await Promise.all(done)).flat();
  }

  /** Runs `parallel` at the same time. The changes name each prefix once. */
  async #oneByOne(
    target: CommandTarget,
    changes: readonly Enforcement[],
    now: Instant,
  ): Promise<readonly Refusal[]> {
    const refusals: Refusal[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      for (let change = changes[next++]; change !== undefined; change = changes[next++]) {
        const words = change.kind === "ban" ? target.ban : target.unban;
        const { fact } = await runProgram(fillIn(words, change, now), { timeout: target.timeout });
        refusals.push(...this.#note([change], fact));
      }
    };
    await Promise.all(Array.from({ length: Math.min(target.parallel, changes.length) }, work));
    return refusals;
  }

  /** One run for each 10,000 unbans, then for each 10,000 bans. */
  async #inBatches(
    target: CommandTarget,
    changes: readonly Enforcement[],
    now: Instant,
  ): Promise<readonly Refusal[]> {
    const refusals: Refusal[] = [];
    for (const kind of ["unban", "ban"] as const) {
      const ours = changes.filter((change) => change.kind === kind);
      const words = kind === "ban" ? target.ban : target.unban;
      for (let from = 0; from < ours.length; from += IN_A_BATCH) {
        const piece = ours.slice(from, from + IN_A_BATCH);
        const input = piece.map((change) => inputLine(change, now));
        const { fact } = await runProgram(words, { input, timeout: target.timeout });
        refusals.push(...this.#note(piece, fact));
      }
    }
    return refusals;
  }

  #note(changes: readonly Enforcement[], fact: string | null): readonly Refusal[] {
    for (const change of changes) {
      if (change.kind === "unban") this.#standing.delete(changeKey(change));
      else if (fact === null) this.#standing.set(changeKey(change), change);
    }
    return fact === null ? [] : changes.map((change) => refused(change, fact));
  }
}

const IN_A_BATCH = 10_000;

function isSame(one: CommandTarget, other: CommandTarget): boolean {
  const words = ({ start, stop, ban, unban, batch }: CommandTarget): string =>
    JSON.stringify([start, stop, ban, unban, batch]);
  return words(one) === words(other);
}
